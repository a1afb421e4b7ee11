# SPDX-License-Identifier: GPL-2.0-or-later
# Flow sizes of a data mining cluster: bytes, cumulative share in percent; linear between points.
# Source: Greenberg et al., "VL2: A Scalable and Flexible Data Center Network", SIGCOMM 2009, figure 2.
0 0
180 10
216 20
560 30
900 40
1100 50
1870 60
3160 70
10000 80
400000 90
3160000 95
100000000 98
1000000000 100
