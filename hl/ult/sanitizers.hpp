// SPDX-License-Identifier: BSD-3-Clause
// CINNABAR_ASAN or CINNABAR_TSAN where this is compiled for one of them, for gcc and clang.
#pragma once

#if defined(__SANITIZE_ADDRESS__)
#define CINNABAR_ASAN 1
#elif defined(__SANITIZE_THREAD__)
#define CINNABAR_TSAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define CINNABAR_ASAN 1
#elif __has_feature(thread_sanitizer)
#define CINNABAR_TSAN 1
#endif
#endif
