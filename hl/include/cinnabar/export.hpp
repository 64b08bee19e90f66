// SPDX-License-Identifier: BSD-3-Clause
// What leaves libcinnabar.so: everything else is hidden.
#pragma once

#define CINNABAR_API __attribute__((visibility("default")))
