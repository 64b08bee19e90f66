// SPDX-License-Identifier: BSD-3-Clause
// Which code each situation gives, the same on every transport. A post that is refused returns it,
// a posted operation completes with it.
#pragma once

#include "na_types.h"

namespace cinnabar::conformance::codes {

// Returned at once.
inline constexpr na_return_t null_argument = NA_INVALID_ARG;
inline constexpr na_return_t object_in_use = NA_BUSY;  // finalise, destroy, post twice
inline constexpr na_return_t message_above_limit = NA_OVERFLOW;
inline constexpr na_return_t buffer_too_small = NA_OVERFLOW;  // strings, serialised objects
inline constexpr na_return_t truncated_object = NA_OVERFLOW;  // or malformed_object
inline constexpr na_return_t malformed_object = NA_PROTOCOL_ERROR;
inline constexpr na_return_t other_protocol = NA_PROTONOSUPPORT;
inline constexpr na_return_t range_outside_memory = NA_INVALID_ARG;
inline constexpr na_return_t direction_forbidden = NA_PERMISSION;
inline constexpr na_return_t no_memory_flags = NA_INVALID_ARG;
inline constexpr na_return_t too_many_segments = NA_OPNOTSUPPORTED;

// Given by the completion.
inline constexpr na_return_t message_above_receive = NA_MSGSIZE;
inline constexpr na_return_t canceled = NA_CANCELED;
inline constexpr na_return_t peer_is_gone = NA_HOSTUNREACH;
inline constexpr na_return_t no_such_context = NA_ADDRNOTAVAIL;  // or peer_is_gone

}  // namespace cinnabar::conformance::codes
