# SPDX-License-Identifier: GPL-2.0-or-later
# Flow sizes of a cluster that runs data mining jobs.
#
# A. Greenberg, J. R. Hamilton, N. Jain, S. Kandula, C. Kim, P. Lahiri, D. A. Maltz, P. Patel, S. Sengupta:
# VL2: A Scalable and Flexible Data Center Network, SIGCOMM 2009 (figure 2), as sampled by later simulation studies.
#
# One point a line: bytes, and the percentage of flows that are at most that large; linear between points.

         0  0
       180  10
       216  20
       560  30
       900  40
      1100  50
      1870  60
      3160  70
     10000  80
    400000  90
   3160000  95
 100000000  98
1000000000  100
