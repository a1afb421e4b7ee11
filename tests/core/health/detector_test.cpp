// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/health/detector.h"

#include <gtest/gtest.h>
