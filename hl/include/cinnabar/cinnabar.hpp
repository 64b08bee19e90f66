// SPDX-License-Identifier: BSD-3-Clause
// All of the C++ API.
#pragma once

#include "cinnabar/archive_std.hpp"
#include "cinnabar/bulk.hpp"
#include "cinnabar/engine.hpp"
#include "cinnabar/pool.hpp"
#include "cinnabar/sync.hpp"
