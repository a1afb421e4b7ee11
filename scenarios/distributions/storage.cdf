# SPDX-License-Identifier: GPL-2.0-or-later
# Flow sizes of a storage cluster.
#
# Y. Li, R. Miao, H. H. Liu, Y. Zhuang, F. Feng, L. Tang, Z. Cao, M. Zhang, F. Kelly, M. Alizadeh, M. Yu:
# HPCC: High Precision Congestion Control, SIGCOMM 2019; the trace of Alibaba's storage that its authors published.
#
# One point a line: bytes, and the percentage of flows that are at most that large; linear between points.

         0  0
      4000  22.93
      8000  69.21
     16000  80.61
     32000  90.47
     64000  93.53
    128000  96.77
    256000  97.53
   2000000  100
