# SPDX-License-Identifier: GPL-2.0-or-later
# Flow sizes of a storage cluster: bytes, cumulative share in percent; linear between points.
# Source: Alibaba's storage trace of 2019, published with Li et al., "HPCC: High Precision Congestion Control",
# SIGCOMM 2019.
0 0
4000 22.93
8000 69.21
16000 80.61
32000 90.47
64000 93.53
128000 96.77
256000 97.53
2000000 100
