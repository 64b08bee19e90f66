/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Compiler attributes under one spelling, for the other public headers and for programs that use
 * the same names. Everything here is a macro; on a compiler without GNU attributes each becomes
 * nothing.
 */
#ifndef MERCURY_COMPILER_ATTRIBUTES_H
#define MERCURY_COMPILER_ATTRIBUTES_H

#if defined(__GNUC__) || defined(__clang__)
#define HG_ATTR_ABI_IMPORT __attribute__((visibility("default")))
#define HG_ATTR_ABI_EXPORT __attribute__((visibility("default")))
#define HG_ATTR_ABI_HIDDEN __attribute__((visibility("hidden")))
#define HG_ATTR_WARN_UNUSED_RESULT __attribute__((warn_unused_result))
#define HG_ATTR_UNUSED __attribute__((unused))
#define HG_ATTR_ALIGNED(x, a) x __attribute__((aligned(a)))
#define HG_ATTR_PACKED_PUSH
#define HG_ATTR_PACKED_POP
#define HG_ATTR_PACKED(x) x __attribute__((packed))
#define HG_ATTR_PRINTF(fmt, arg) __attribute__((format(printf, fmt, arg)))
#define HG_ATTR_CONSTRUCTOR __attribute__((constructor))
#define HG_ATTR_CONSTRUCTOR_PRIORITY(x) __attribute__((constructor(x)))
#define HG_ATTR_DESTRUCTOR __attribute__((destructor))
#if defined(__clang__) || __GNUC__ >= 7
#define HG_ATTR_FALLTHROUGH __attribute__((fallthrough))
#else
#define HG_ATTR_FALLTHROUGH
#endif
#else
#define HG_ATTR_ABI_IMPORT
#define HG_ATTR_ABI_EXPORT
#define HG_ATTR_ABI_HIDDEN
#define HG_ATTR_WARN_UNUSED_RESULT
#define HG_ATTR_UNUSED
#define HG_ATTR_ALIGNED(x, a) x
#define HG_ATTR_PACKED_PUSH
#define HG_ATTR_PACKED_POP
#define HG_ATTR_PACKED(x) x
#define HG_ATTR_PRINTF(fmt, arg)
#define HG_ATTR_CONSTRUCTOR
#define HG_ATTR_CONSTRUCTOR_PRIORITY(x)
#define HG_ATTR_DESTRUCTOR
#define HG_ATTR_FALLTHROUGH
#endif

#endif /* MERCURY_COMPILER_ATTRIBUTES_H */
