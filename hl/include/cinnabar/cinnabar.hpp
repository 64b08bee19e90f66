// SPDX-License-Identifier: BSD-3-Clause
// All of the C++ API.
#pragma once

#include "cinnabar/buffers.hpp"
#include "cinnabar/bulk.hpp"
#include "cinnabar/engine.hpp"
#include "cinnabar/monitor.hpp"
#include "cinnabar/provider.hpp"
#include "cinnabar/sync.hpp"
#include "cinnabar/task.hpp"
