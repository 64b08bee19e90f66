// SPDX-License-Identifier: BSD-3-Clause
// Maps errno values to the library's codes, the same for every transport.
#pragma once

#include "na_types.h"

namespace cinnabar {

na_return_t code_of_errno(int error) noexcept;

}  // namespace cinnabar
