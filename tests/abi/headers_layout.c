/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What programs and other languages' bindings build into themselves: values of constants, sizes of
 * the structs that users fill or read, and which names are macros. Compiling it is the test, as C
 * and C++.
 */
#include <mercury.h>
#include <mercury_bulk.h>
#include <mercury_macros.h>
#include <mercury_proc_string.h>

#include <stddef.h>

#ifdef __cplusplus
#define REQUIRE(condition) static_assert(condition, #condition)
#else
#define REQUIRE(condition) _Static_assert(condition, #condition)
#endif

REQUIRE(HG_VERSION_GE(HG_VERSION(HG_VERSION_MAJOR, HG_VERSION_MINOR), HG_VERSION(2, 4)));
REQUIRE(HG_VERSION_LT(HG_VERSION(2, 3), HG_VERSION(2, 4)));
REQUIRE(HG_MAJOR(HG_VERSION(2, 4)) == 2 && HG_MINOR(HG_VERSION(2, 4)) == 4);

REQUIRE(HG_SUCCESS == 0 && HG_NOENTRY == 2 && HG_NOMEM == 5 && HG_FAULT == 7 && HG_BUSY == 8);
REQUIRE(HG_INVALID_ARG == 11 && HG_OVERFLOW == 13 && HG_TIMEOUT == 20 && HG_CANCELED == 21);
REQUIRE(HG_CHECKSUM_ERROR == 24 && HG_NA_ERROR == 25 && HG_OTHER_ERROR == 26);
REQUIRE(HG_RETURN_MAX == 27);
REQUIRE(HG_INVALID_PARAM == HG_INVALID_ARG && HG_SIZE_ERROR == HG_MSGSIZE);
REQUIRE(HG_NOMEM_ERROR == HG_NOMEM && HG_NO_MATCH == HG_NOENTRY);

/* Both libraries number their common errors alike. */
REQUIRE((int)HG_PERMISSION == (int)NA_PERMISSION && (int)HG_NODEV == (int)NA_NODEV);
REQUIRE((int)HG_OVERFLOW == (int)NA_OVERFLOW && (int)HG_TIMEOUT == (int)NA_TIMEOUT);
REQUIRE((int)HG_HOSTFIREWALL == (int)NA_HOSTFIREWALL && (int)NA_RETURN_MAX == 24);

REQUIRE(HG_CHECKSUM_NONE == 0 && HG_CHECKSUM_RPC_PAYLOAD == 2);
REQUIRE(HG_CB_LOOKUP == 0 && HG_CB_FORWARD == 1 && HG_CB_RESPOND == 2 && HG_CB_BULK == 3);
REQUIRE(HG_INPUT == 1 && HG_OUTPUT == 2);
REQUIRE(HG_ENCODE == 0 && HG_DECODE == 1 && HG_FREE == 2);
REQUIRE(HG_CRC16 == 0 && HG_NOHASH == 3 && HG_PROC_SM == 1 && HG_PROC_BULK_EAGER == 2);
REQUIRE(HG_BULK_PUSH == 0 && HG_BULK_PULL == 1);
REQUIRE(HG_BULK_READ_ONLY == 1 && HG_BULK_WRITE_ONLY == 2 && HG_BULK_READWRITE == 3);
REQUIRE(HG_MEM_TYPE_HOST == 0 && HG_MEM_TYPE_ZE == 3 && HG_MEM_TYPE_UNKNOWN == 4);
REQUIRE(HG_MAX_IDLE_TIME == 3600000 && HG_CORE_SM == 1 && HG_CORE_MORE_DATA == 1);

REQUIRE(sizeof(hg_size_t) == 8 && sizeof(hg_id_t) == 8 && sizeof(hg_bool_t) == 1);
REQUIRE(sizeof(hg_ptr_t) == 8);

#if defined(__LP64__)
REQUIRE(sizeof(struct hg_init_info) == 112);
REQUIRE(offsetof(struct hg_init_info, na_class) == sizeof(struct na_init_info_4_0));
REQUIRE(offsetof(struct hg_init_info, no_multi_recv) == offsetof(struct hg_init_info, stats) + 1);
REQUIRE(offsetof(struct hg_init_info, traffic_class) > offsetof(struct hg_init_info, stats));
REQUIRE(sizeof(struct hg_diag_counters) == 72);
REQUIRE(sizeof(struct hg_info) == 40);
REQUIRE(sizeof(struct hg_bulk_attr) == 16);
REQUIRE(sizeof(struct hg_cb_info) == 48);
REQUIRE(sizeof(struct hg_proc_buf) == 40 && sizeof(struct hg_proc) == 136);
#endif

#if !defined(HG_RETURN_VALUES) || !defined(HG_INIT_INFO_INITIALIZER) || !defined(HG_ADDR_NULL) || \
    !defined(HG_Addr_lookup) || !defined(HG_HAS_BOOST) || !defined(MERCURY_REGISTER) ||           \
    !defined(MERCURY_GEN_PROC) || !defined(hg_proc_void) || !defined(hg_proc_hg_size_t) ||        \
    !defined(hg_proc_raw) || !defined(hg_proc_memcpy) || !defined(likely)
#error "a name that programs test with #ifdef is not a macro"
#endif

/* The list of codes can be expanded into a switch: all values differ. */
int is_code(hg_return_t ret);

int is_code(hg_return_t ret) {
    switch (ret) {
#define X(code) case code:
        HG_RETURN_VALUES
#undef X
        return 1;
    }
    return 0;
}
