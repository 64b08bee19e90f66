// SPDX-License-Identifier: BSD-3-Clause
// What the library's error numbers mean here: the one table. Pure.
#pragma once

#include "na_types.h"

namespace cinnabar::ofi {

// Takes fi_errno values of either sign. What is not in the table is NA_PROTOCOL_ERROR.
na_return_t code_of_fi(int error) noexcept;

// The code with which everything ends that a link carried, when the library gives this error for
// it.
na_return_t loss_of_fi(int error) noexcept;

// Whether an operation that ended so may be posted again: the library lacks something for now.
bool is_again(long ret) noexcept;

}  // namespace cinnabar::ofi
