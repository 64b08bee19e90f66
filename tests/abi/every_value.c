/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Every constant and every macro of the API with its value, as Mercury 2.4 has them. Compiling it
 * is the test, as C and C++.
 */
#include <mercury.h>
#include <mercury_bulk.h>
#include <mercury_core.h>
#include <mercury_macros.h>
#include <mercury_proc_string.h>
#include <na.h>

#ifdef __cplusplus
#define EQUAL(name, value) static_assert((long long)(name) == (long long)(value), #name);
#else
#define EQUAL(name, value) _Static_assert((long long)(name) == (long long)(value), #name);
#endif

EQUAL(HG_SUCCESS, 0)
EQUAL(HG_PERMISSION, 1)
EQUAL(HG_NOENTRY, 2)
EQUAL(HG_INTERRUPT, 3)
EQUAL(HG_AGAIN, 4)
EQUAL(HG_NOMEM, 5)
EQUAL(HG_ACCESS, 6)
EQUAL(HG_FAULT, 7)
EQUAL(HG_BUSY, 8)
EQUAL(HG_EXIST, 9)
EQUAL(HG_NODEV, 10)
EQUAL(HG_INVALID_ARG, 11)
EQUAL(HG_PROTOCOL_ERROR, 12)
EQUAL(HG_OVERFLOW, 13)
EQUAL(HG_MSGSIZE, 14)
EQUAL(HG_PROTONOSUPPORT, 15)
EQUAL(HG_OPNOTSUPPORTED, 16)
EQUAL(HG_ADDRINUSE, 17)
EQUAL(HG_ADDRNOTAVAIL, 18)
EQUAL(HG_HOSTUNREACH, 19)
EQUAL(HG_TIMEOUT, 20)
EQUAL(HG_CANCELED, 21)
EQUAL(HG_IO_ERROR, 22)
EQUAL(HG_HOSTFIREWALL, 23)
EQUAL(HG_CHECKSUM_ERROR, 24)
EQUAL(HG_NA_ERROR, 25)
EQUAL(HG_OTHER_ERROR, 26)
EQUAL(HG_RETURN_MAX, 27)
EQUAL(HG_INVALID_PARAM, HG_INVALID_ARG)
EQUAL(HG_SIZE_ERROR, HG_MSGSIZE)
EQUAL(HG_NOMEM_ERROR, HG_NOMEM)
EQUAL(HG_NO_MATCH, HG_NOENTRY)

EQUAL(NA_SUCCESS, 0)
EQUAL(NA_PERMISSION, 1)
EQUAL(NA_NOENTRY, 2)
EQUAL(NA_INTERRUPT, 3)
EQUAL(NA_AGAIN, 4)
EQUAL(NA_NOMEM, 5)
EQUAL(NA_ACCESS, 6)
EQUAL(NA_FAULT, 7)
EQUAL(NA_BUSY, 8)
EQUAL(NA_EXIST, 9)
EQUAL(NA_NODEV, 10)
EQUAL(NA_INVALID_ARG, 11)
EQUAL(NA_PROTOCOL_ERROR, 12)
EQUAL(NA_OVERFLOW, 13)
EQUAL(NA_MSGSIZE, 14)
EQUAL(NA_PROTONOSUPPORT, 15)
EQUAL(NA_OPNOTSUPPORTED, 16)
EQUAL(NA_ADDRINUSE, 17)
EQUAL(NA_ADDRNOTAVAIL, 18)
EQUAL(NA_HOSTUNREACH, 19)
EQUAL(NA_TIMEOUT, 20)
EQUAL(NA_CANCELED, 21)
EQUAL(NA_IO_ERROR, 22)
EQUAL(NA_HOSTFIREWALL, 23)
EQUAL(NA_RETURN_MAX, 24)

EQUAL(HG_CHECKSUM_NONE, 0)
EQUAL(HG_CHECKSUM_RPC_HEADERS, 1)
EQUAL(HG_CHECKSUM_RPC_PAYLOAD, 2)

EQUAL(HG_CB_LOOKUP, 0)
EQUAL(HG_CB_FORWARD, 1)
EQUAL(HG_CB_RESPOND, 2)
EQUAL(HG_CB_BULK, 3)

EQUAL(HG_UNDEF, 0)
EQUAL(HG_INPUT, 1)
EQUAL(HG_OUTPUT, 2)

EQUAL(HG_ENCODE, 0)
EQUAL(HG_DECODE, 1)
EQUAL(HG_FREE, 2)

EQUAL(HG_MEM_TYPE_HOST, 0)
EQUAL(HG_MEM_TYPE_CUDA, 1)
EQUAL(HG_MEM_TYPE_ROCM, 2)
EQUAL(HG_MEM_TYPE_ZE, 3)
EQUAL(HG_MEM_TYPE_MAX, 4)

EQUAL(HG_MEM_TYPE_UNKNOWN, 4)
EQUAL(HG_BULK_PUSH, 0)
EQUAL(HG_BULK_PULL, 1)

EQUAL(HG_BULK_READ_ONLY, 1)
EQUAL(HG_BULK_WRITE_ONLY, 2)
EQUAL(HG_BULK_READWRITE, 3)

EQUAL(HG_BULK_EAGER, 4)
EQUAL(HG_BULK_SM, 8)
EQUAL(HG_CRC16, 0)
EQUAL(HG_CRC32, 1)
EQUAL(HG_CRC64, 2)
EQUAL(HG_NOHASH, 3)

EQUAL(HG_PROC_SM, 1)
EQUAL(HG_PROC_BULK_EAGER, 2)
EQUAL(HG_CORE_SM, 1)
EQUAL(HG_CORE_MORE_DATA, 1)
EQUAL(HG_TRUE, 1)
EQUAL(HG_FALSE, 0)
EQUAL(HG_MAX_IDLE_TIME, 3600000)
EQUAL(HG_SIZE_MAX, UINT64_MAX)
EQUAL(HG_VERSION(2, 4), 0x20004)
EQUAL(HG_MAJOR(0x20004), 2)
EQUAL(HG_MINOR(0x20004), 4)
EQUAL(HG_VERSION_GE(2, 2), 1)
EQUAL(HG_VERSION_LT(2, 2), 0)
EQUAL(HG_VERSION_MAJOR, 2)
EQUAL(HG_VERSION_MINOR, 4)

EQUAL(NA_ADDR_UNSPEC, 0)
EQUAL(NA_ADDR_IPV4, 1)
EQUAL(NA_ADDR_IPV6, 2)
EQUAL(NA_ADDR_NATIVE, 3)

EQUAL(NA_ADDR_FIREWALL, 1)
EQUAL(NA_TC_UNSPEC, 0)
EQUAL(NA_TC_BEST_EFFORT, 1)
EQUAL(NA_TC_LOW_LATENCY, 2)
EQUAL(NA_TC_BULK_DATA, 3)
EQUAL(NA_TC_DEDICATED_ACCESS, 4)
EQUAL(NA_TC_SCAVENGER, 5)
EQUAL(NA_TC_NETWORK_CTRL, 6)

EQUAL(NA_MEM_TYPE_HOST, 0)
EQUAL(NA_MEM_TYPE_CUDA, 1)
EQUAL(NA_MEM_TYPE_ROCM, 2)
EQUAL(NA_MEM_TYPE_ZE, 3)
EQUAL(NA_MEM_TYPE_MAX, 4)

EQUAL(NA_MEM_TYPE_UNKNOWN, 4)
EQUAL(NA_CB_SEND_UNEXPECTED, 0)
EQUAL(NA_CB_RECV_UNEXPECTED, 1)
EQUAL(NA_CB_MULTI_RECV_UNEXPECTED, 2)
EQUAL(NA_CB_SEND_EXPECTED, 3)
EQUAL(NA_CB_RECV_EXPECTED, 4)
EQUAL(NA_CB_PUT, 5)
EQUAL(NA_CB_GET, 6)
EQUAL(NA_CB_MAX, 7)

EQUAL(NA_OPT_MULTI_RECV, 1)
EQUAL(NA_OPT_FIREWALL_ADDR, 2)
EQUAL(NA_MAX_IDLE_TIME, 3600000)
EQUAL(NA_CONTEXT_ID_MAX, 255)
EQUAL(NA_SEND, 1)
EQUAL(NA_RECV, 2)
EQUAL(NA_MULTI_RECV, 4)
EQUAL(NA_ALLOC_MAX, 8)
EQUAL(NA_OP_SINGLE, 0)
EQUAL(NA_OP_MULTI, 1)
EQUAL(NA_TAG_MAX, UINT32_MAX)
EQUAL(NA_MEM_READ_ONLY, 1)
EQUAL(NA_MEM_WRITE_ONLY, 2)
EQUAL(NA_MEM_READWRITE, 3)
EQUAL(NA_NO_BLOCK, 1)
EQUAL(NA_NO_RETRY, 2)
EQUAL(NA_THREAD_MODE_SINGLE_CLS, 1)
EQUAL(NA_THREAD_MODE_SINGLE_CTX, 2)
EQUAL(NA_THREAD_MODE_SINGLE, 3)
EQUAL(NA_VERSION(6, 0), 0x60000)
EQUAL(NA_MAJOR(0x60001), 6)
EQUAL(NA_MINOR(0x60001), 1)
EQUAL(NA_VERSION_GE(1, 2), 0)
EQUAL(NA_VERSION_LT(1, 2), 1)
EQUAL(NA_VERSION_MAJOR, 6)
EQUAL(NA_VERSION_MINOR, 0)
EQUAL(NA_VERSION_PATCH, 0)

/* Names that programs test or undefine are macros. */
#ifndef HG_RETURN_VALUES
#error "HG_RETURN_VALUES is not a macro"
#endif
#ifndef NA_RETURN_VALUES
#error "NA_RETURN_VALUES is not a macro"
#endif
#ifndef NA_CB_TYPES
#error "NA_CB_TYPES is not a macro"
#endif
#ifndef HG_INIT_INFO_INITIALIZER
#error "HG_INIT_INFO_INITIALIZER is not a macro"
#endif
#ifndef NA_INIT_INFO_INITIALIZER
#error "NA_INIT_INFO_INITIALIZER is not a macro"
#endif
#ifndef NA_INIT_INFO_INITIALIZER_4_0
#error "NA_INIT_INFO_INITIALIZER_4_0 is not a macro"
#endif
#ifndef HG_ADDR_NULL
#error "HG_ADDR_NULL is not a macro"
#endif
#ifndef HG_HANDLE_NULL
#error "HG_HANDLE_NULL is not a macro"
#endif
#ifndef HG_BULK_NULL
#error "HG_BULK_NULL is not a macro"
#endif
#ifndef HG_PROC_NULL
#error "HG_PROC_NULL is not a macro"
#endif
#ifndef HG_OP_ID_NULL
#error "HG_OP_ID_NULL is not a macro"
#endif
#ifndef HG_OP_ID_IGNORE
#error "HG_OP_ID_IGNORE is not a macro"
#endif
#ifndef HG_CORE_ADDR_NULL
#error "HG_CORE_ADDR_NULL is not a macro"
#endif
#ifndef HG_CORE_HANDLE_NULL
#error "HG_CORE_HANDLE_NULL is not a macro"
#endif
#ifndef HG_CORE_OP_ID_NULL
#error "HG_CORE_OP_ID_NULL is not a macro"
#endif
#ifndef HG_CORE_OP_ID_IGNORE
#error "HG_CORE_OP_ID_IGNORE is not a macro"
#endif
#ifndef HG_Addr_lookup
#error "HG_Addr_lookup is not a macro"
#endif
#ifndef MERCURY_REGISTER
#error "MERCURY_REGISTER is not a macro"
#endif
#ifndef MERCURY_GEN_PROC
#error "MERCURY_GEN_PROC is not a macro"
#endif
#ifndef MERCURY_GEN_STRUCT_PROC
#error "MERCURY_GEN_STRUCT_PROC is not a macro"
#endif
#ifndef HG_GEN_GET_TYPE
#error "HG_GEN_GET_TYPE is not a macro"
#endif
#ifndef HG_GEN_GET_NAME
#error "HG_GEN_GET_NAME is not a macro"
#endif
#ifndef HG_GEN_STRUCT_FIELD
#error "HG_GEN_STRUCT_FIELD is not a macro"
#endif
#ifndef HG_GEN_STRUCT
#error "HG_GEN_STRUCT is not a macro"
#endif
#ifndef HG_GEN_PROC
#error "HG_GEN_PROC is not a macro"
#endif
#ifndef HG_GEN_STRUCT_PROC
#error "HG_GEN_STRUCT_PROC is not a macro"
#endif
#ifndef hg_proc_void
#error "hg_proc_void is not a macro"
#endif
#ifndef hg_proc_hg_size_t
#error "hg_proc_hg_size_t is not a macro"
#endif
#ifndef hg_proc_hg_id_t
#error "hg_proc_hg_id_t is not a macro"
#endif
#ifndef hg_proc_hg_int8_t
#error "hg_proc_hg_int8_t is not a macro"
#endif
#ifndef hg_proc_hg_uint8_t
#error "hg_proc_hg_uint8_t is not a macro"
#endif
#ifndef hg_proc_hg_int16_t
#error "hg_proc_hg_int16_t is not a macro"
#endif
#ifndef hg_proc_hg_uint16_t
#error "hg_proc_hg_uint16_t is not a macro"
#endif
#ifndef hg_proc_hg_int32_t
#error "hg_proc_hg_int32_t is not a macro"
#endif
#ifndef hg_proc_hg_uint32_t
#error "hg_proc_hg_uint32_t is not a macro"
#endif
#ifndef hg_proc_hg_int64_t
#error "hg_proc_hg_int64_t is not a macro"
#endif
#ifndef hg_proc_hg_uint64_t
#error "hg_proc_hg_uint64_t is not a macro"
#endif
#ifndef hg_proc_hg_bool_t
#error "hg_proc_hg_bool_t is not a macro"
#endif
#ifndef hg_proc_hg_ptr_t
#error "hg_proc_hg_ptr_t is not a macro"
#endif
#ifndef hg_proc_raw
#error "hg_proc_raw is not a macro"
#endif
#ifndef hg_proc_memcpy
#error "hg_proc_memcpy is not a macro"
#endif
#ifndef likely
#error "likely is not a macro"
#endif
#ifndef unlikely
#error "unlikely is not a macro"
#endif
#ifndef HG_PROC_CHECK_SIZE
#error "HG_PROC_CHECK_SIZE is not a macro"
#endif
#ifndef HG_PROC_TYPE_ENCODE
#error "HG_PROC_TYPE_ENCODE is not a macro"
#endif
#ifndef HG_PROC_TYPE_DECODE
#error "HG_PROC_TYPE_DECODE is not a macro"
#endif
#ifndef HG_PROC_UPDATE
#error "HG_PROC_UPDATE is not a macro"
#endif
#ifndef HG_PROC_CHECKSUM_UPDATE
#error "HG_PROC_CHECKSUM_UPDATE is not a macro"
#endif
#ifndef HG_PROC_TYPE
#error "HG_PROC_TYPE is not a macro"
#endif
#ifndef HG_PROC_BYTES
#error "HG_PROC_BYTES is not a macro"
#endif
#ifndef HG_BUILD_SHARED_LIBS
#error "HG_BUILD_SHARED_LIBS is not a macro"
#endif
#ifndef HG_HAS_BOOST
#error "HG_HAS_BOOST is not a macro"
#endif
#ifndef HG_HAS_CHECKSUMS
#error "HG_HAS_CHECKSUMS is not a macro"
#endif
#ifndef HG_HAS_DIAG
#error "HG_HAS_DIAG is not a macro"
#endif
#ifndef HG_HAS_MULTI_PROGRESS
#error "HG_HAS_MULTI_PROGRESS is not a macro"
#endif
#ifndef HG_WARN_UNUSED_RESULT
#error "HG_WARN_UNUSED_RESULT is not a macro"
#endif
#ifndef HG_UNUSED
#error "HG_UNUSED is not a macro"
#endif
#ifndef HG_PACKED
#error "HG_PACKED is not a macro"
#endif
#ifndef HG_FALLTHROUGH
#error "HG_FALLTHROUGH is not a macro"
#endif
#ifndef HG_INLINE
#error "HG_INLINE is not a macro"
#endif
#ifndef HG_PUBLIC
#error "HG_PUBLIC is not a macro"
#endif
#ifndef HG_PRIVATE
#error "HG_PRIVATE is not a macro"
#endif
#ifndef NA_WARN_UNUSED_RESULT
#error "NA_WARN_UNUSED_RESULT is not a macro"
#endif
#ifndef NA_UNUSED
#error "NA_UNUSED is not a macro"
#endif
#ifndef NA_ALIGNED
#error "NA_ALIGNED is not a macro"
#endif
#ifndef NA_PRINTF
#error "NA_PRINTF is not a macro"
#endif
#ifndef NA_PACKED
#error "NA_PACKED is not a macro"
#endif
#ifndef NA_FALLTHROUGH
#error "NA_FALLTHROUGH is not a macro"
#endif
#ifndef NA_INLINE
#error "NA_INLINE is not a macro"
#endif
#ifndef NA_PUBLIC
#error "NA_PUBLIC is not a macro"
#endif
#ifndef NA_PRIVATE
#error "NA_PRIVATE is not a macro"
#endif
#ifndef NA_BUILD_SHARED_LIBS
#error "NA_BUILD_SHARED_LIBS is not a macro"
#endif
#ifndef NA_HAS_DYNAMIC_PLUGINS
#error "NA_HAS_DYNAMIC_PLUGINS is not a macro"
#endif
#ifndef NA_HAS_SM
#error "NA_HAS_SM is not a macro"
#endif

typedef int not_empty;
