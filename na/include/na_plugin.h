/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The contract between libna and a transport plugin: C, public, versioned.
 *
 * A plugin is a shared object named libna_plugin_<name>.so that exports one function,
 * na_plugin_entry(). libna looks for such files in NA_PLUGIN_PATH (a colon list), then beside
 * libna.so, then in the install directory; the first file of a name wins, a file that cannot be
 * loaded is one warning with the reason.
 *
 * libna allocates every object as one block with its own header in front; the plugin states how
 * many bytes it needs and is handed a pointer to its part, 64-byte aligned, zeroed. "void *cls" is
 * thus the plugin's part of a class, and so on. Plugin code never calls users: it completes
 * operations through na_host. All functions may be called from any thread, concurrently, unless
 * said otherwise; open and close calls are not concurrent with others on the same object. A slot
 * may be NULL: libna fills it with a function that gives NA_OPNOTSUPPORTED (or the default that its
 * comment names).
 *
 * Versioning: a table starts with its size; members are appended, never moved or changed. libna
 * refuses a plugin whose abi_version differs.
 */
#ifndef NA_PLUGIN_H
#define NA_PLUGIN_H

#include "na_types.h"

#ifdef __cplusplus
extern "C" {
#endif

#define NA_PLUGIN_ABI_VERSION 1u

/* How an operation ended. Fields that do not belong to its type are ignored. */
struct na_completion {
    na_return_t ret;
    na_tag_t tag; /* unexpected receives */
    size_t size;  /* receives: bytes placed */
    void*
        source; /* unexpected receives: plugin part of an address; one reference passes to libna */
    void* buf;  /* multi-receives: where the message lies */
    bool more;  /* multi-receives: the operation stays posted, other completions follow */
};

/* What libna lends to a plugin. Valid until the plugin is unloaded. */
struct na_host {
    size_t size;
    /*
     * Ends an operation (given as its plugin part), exactly once for each successful post. May run
     * the callback at once, which may post again (also this operation): call it when the operation
     * is in no list of the plugin any more and its state can bear re-entry.
     */
    void (*complete)(void* op, const struct na_completion* completion);
    /* A new address of a class with one reference, plugin part zeroed; NULL when out of memory. */
    void* (*addr_create)(void* cls);
    void (*addr_ref)(void* addr);
    /* Gives a reference back; the last one calls address.destroy and frees the block. */
    void (*addr_unref)(void* addr);
    bool (*log_enabled)(int level, const char* subsys);
    void (*log_write)(int level, const char* subsys, const char* text);
    /*
     * Takes a reference unless the last one is gone or going: for tables that find addresses
     * without owning them, under a lock that address.destroy takes too. False: forget the entry.
     */
    bool (*addr_try_ref)(void* addr);
};

struct na_plugin_open {
    size_t size;
    const char* protocol; /* "tcp" */
    const char* host;     /* what followed "://", never NULL, may be empty */
    bool listen;
    const struct na_init_info* init; /* never NULL; strings valid during the call only */
};

/* Facts about an opened class, asked for once after open. Sizes in bytes. */
struct na_limits {
    size_t size;
    size_t max_unexpected_size;
    size_t max_expected_size;
    size_t unexpected_header_size; /* room the plugin wants at the start of a message buffer */
    size_t expected_header_size;
    size_t max_segments; /* segments in one memory handle */
    na_tag_t max_tag;
};

struct na_plugin_class_ops {
    size_t size;
    bool (*check_protocol)(const char* protocol);
    /* Calls emit once per protocol and device that could be opened. Default: none. */
    void (*list)(void (*emit)(void* arg, const char* protocol, const char* device), void* arg);
    na_return_t (*open)(void* cls, const struct na_plugin_open* info);
    void (*close)(void* cls);
    void (*get_limits)(void* cls, struct na_limits* limits);
    bool (*has_feature)(void* cls, unsigned long flags); /* default: false */
    na_return_t (*context_open)(void* cls, void* ctx, uint8_t id);
    /* NA_BUSY, with the context still usable, while operations are posted. */
    na_return_t (*context_close)(void* cls, void* ctx);
    /* Construct and destroy the plugin's part of an operation. Defaults: nothing to do. */
    na_return_t (*op_open)(void* cls, void* op);
    void (*op_close)(void* cls, void* op);
};

struct na_plugin_address_ops {
    size_t size;
    /* name has no "class+" prefix: "tcp://host:port". *addr receives one reference. */
    na_return_t (*lookup)(void* cls, const char* name, void** addr);
    na_return_t (*self)(void* cls, void** addr);
    void (*destroy)(void* cls, void* addr);           /* the last reference is gone */
    na_return_t (*set_remove)(void* cls, void* addr); /* default: success */
    bool (*equal)(void* cls, void* addr1, void* addr2);
    bool (*is_self)(void* cls, void* addr);
    /* Without the "class+" prefix; NUL-terminated; *size as in NA_Addr_to_string(). */
    na_return_t (*to_string)(void* cls, void* addr, char* buf, size_t* size);
    size_t (*serialize_size)(void* cls, void* addr);
    na_return_t (*serialize)(void* cls, void* addr, void* buf, size_t size);
    na_return_t (*deserialize)(void* cls, const void* buf, size_t size, void** addr);
};

struct na_send {
    const void* buf;
    size_t size;
    void* plugin_data;
    void* dest; /* address */
    na_tag_t tag;
    uint8_t dest_id;
};

struct na_recv {
    void* buf;
    size_t size;
    void* plugin_data;
    void* source;      /* address; expected receives only */
    na_tag_t tag;      /* expected receives only */
    uint8_t source_id; /* expected receives only */
};

struct na_plugin_message_ops {
    size_t size;
    /* Defaults: heap memory aligned to 64 bytes, plugin data NULL. */
    void* (*buf_alloc)(void* cls, size_t size, unsigned long flags, void** plugin_data);
    void (*buf_free)(void* cls, void* buf, void* plugin_data);
    /* Fill the header room of a buffer. Defaults: nothing to do. */
    na_return_t (*init_unexpected)(void* cls, void* buf, size_t size);
    na_return_t (*init_expected)(void* cls, void* buf, size_t size);
    na_return_t (*send_unexpected)(void* ctx, void* op, const struct na_send* send);
    na_return_t (*recv_unexpected)(void* ctx, void* op, const struct na_recv* recv);
    na_return_t (*multi_recv_unexpected)(void* ctx, void* op, const struct na_recv* recv);
    na_return_t (*send_expected)(void* ctx, void* op, const struct na_send* send);
    na_return_t (*recv_expected)(void* ctx, void* op, const struct na_recv* recv);
    /*
     * Sends without an operation if the message can leave at once, behind all that were posted
     * before: on NA_SUCCESS the buffer may be used again. NA_AGAIN: nothing has happened. Default:
     * NA_AGAIN.
     */
    na_return_t (*try_send)(void* ctx, const struct na_send* send, bool expected);
};

struct na_plugin_memory_ops {
    size_t size;
    /* Defaults: anonymous mapping. */
    void* (*alloc)(void* cls, size_t size);
    void (*free)(void* cls, void* buf, size_t size);
    /* libna has checked count against max_segments, and that lengths do not wrap. */
    na_return_t (*create)(void* cls, void* mem, const struct na_segment* segments, size_t count,
                          unsigned long flags);
    void (*destroy)(void* cls, void* mem);
    na_return_t (*register_)(void* cls, void* mem, enum na_mem_type mem_type, uint64_t device);
    na_return_t (*deregister)(void* cls, void* mem);
    size_t (*serialize_size)(void* cls, void* mem);
    na_return_t (*serialize)(void* cls, void* mem, void* buf, size_t size);
    na_return_t (*deserialize)(void* cls, void* mem, const void* buf, size_t size);
};

/* The caller may give its reference to `remote` back as soon as put or get has returned; the same
 * goes for `dest` and `source` of messages. The memory handles stay until the operation completes.
 */
struct na_rma {
    void* local_mem;
    void* remote_mem;
    na_offset_t local_offset;
    na_offset_t remote_offset;
    size_t size;
    void* remote; /* address */
    uint8_t remote_id;
};

struct na_plugin_rma_ops {
    size_t size;
    na_return_t (*put)(void* ctx, void* op, const struct na_rma* rma);
    na_return_t (*get)(void* ctx, void* op, const struct na_rma* rma);
    /* Moves the data inside the call, without an operation, if it can. As try_send. */
    na_return_t (*try_put)(void* ctx, const struct na_rma* rma);
    na_return_t (*try_get)(void* ctx, const struct na_rma* rma);
};

struct na_plugin_progress_ops {
    size_t size;
    int (*get_fd)(void* ctx);    /* default: -1 */
    bool (*try_wait)(void* ctx); /* default: false */
    na_return_t (*poll)(void* ctx, unsigned int* count);
    /* Makes the descriptor readable, once. Default: nothing. */
    void (*wake)(void* ctx);
    na_return_t (*cancel)(void* ctx, void* op);
};

struct na_plugin {
    size_t size;
    unsigned int abi_version; /* NA_PLUGIN_ABI_VERSION */
    const char* name;         /* "tcp": also in the file name */
    const char* class_name;   /* "na", "ofi", ...: what stands before '+' */
    size_t class_size;        /* bytes that libna allocates for the plugin's part of each object */
    size_t context_size;
    size_t addr_size;
    size_t op_size;
    size_t mem_size;
    const struct na_plugin_class_ops* class_ops;
    const struct na_plugin_address_ops* address;
    const struct na_plugin_message_ops* message;
    const struct na_plugin_memory_ops* memory;
    const struct na_plugin_rma_ops* rma;
    const struct na_plugin_progress_ops* progress;
    /*
     * Runs in the child after fork(), where every net of the parent is dead: close this plugin's
     * descriptors, so that the child does not keep connections of a dead parent open, and do
     * nothing else (only async-signal-safe calls). Default: nothing.
     */
    void (*forked)(void);
};

/* The one exported function of a plugin. Called once after loading; NULL means "cannot work here".
 */
typedef const struct na_plugin* (*na_plugin_entry_t)(const struct na_host* host);
#define NA_PLUGIN_ENTRY na_plugin_entry

/*
 * Extension for tests and embedded transports: makes a plugin known without a file, before or after
 * others are loaded; it wins over a file of the same name. NA_EXIST if the name is registered
 * already.
 */
NA_PUBLIC na_return_t NA_Plugin_register(na_plugin_entry_t entry);

#ifdef __cplusplus
}
#endif

#endif /* NA_PLUGIN_H */
