# SPDX-License-Identifier: GPL-2.0-or-later
# Flow sizes of a web search cluster.
#
# M. Alizadeh, A. Greenberg, D. A. Maltz, J. Padhye, P. Patel, B. Prabhakar, S. Sengupta, M. Sridharan:
# Data Center TCP (DCTCP), SIGCOMM 2010 (figure 4, background traffic), as sampled by later simulation studies.
#
# One point a line: bytes, and the percentage of flows that are at most that large; linear between points.

         0  0
     10000  15
     20000  20
     30000  30
     50000  40
     80000  53
    200000  60
   1000000  70
   2000000  80
   5000000  90
  10000000  97
  30000000  100
