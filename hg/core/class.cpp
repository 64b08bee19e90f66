// SPDX-License-Identifier: BSD-3-Clause
#include "hg/core/class.hpp"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>

#include "hg/core/route.hpp"
#include "hg/net/status.hpp"
#include "hg/wire/request_header.hpp"
#include "hg/wire/response_header.hpp"

std::size_t hg_class::max_request_payload() const noexcept {
    return request_room - cinnabar::hg::RequestHeader::size;
}

std::size_t hg_class::max_response_payload() const noexcept {
    return response_room - cinnabar::hg::ResponseHeader::size;
}

namespace cinnabar::hg {
namespace {

// How many bytes of hg_init_info a caller of this version has; the rest keeps its defaults.
std::size_t layout_size(unsigned version) {
    if (HG_VERSION_GE(version, HG_VERSION(2, 4))) return sizeof(hg_init_info);
    if (HG_VERSION_GE(version, HG_VERSION(2, 3))) return offsetof(hg_init_info, traffic_class);
    return offsetof(hg_init_info, no_multi_recv);
}

void read_options(const hg_init_info& info, Options& options) {
    if (info.request_post_init != 0) options.request_post_init = info.request_post_init;
    if (info.request_post_incr != 0) options.request_post_incr = info.request_post_incr;
    options.checksum_level = info.checksum_level;
    options.bulk_eager = info.no_bulk_eager == 0;
    options.loopback = info.no_loopback == 0;
    options.overflow = !info.no_overflow;
    options.release_input_early = info.release_input_early != 0;
    options.stats = info.stats != 0;
}

// A whole number from the environment, at most `limit`.
void read_number(const char* name, std::uint32_t limit, std::uint32_t& value) {
    const char* text = std::getenv(name);
    if (text == nullptr) return;
    char* end = nullptr;
    const unsigned long long number = std::strtoull(text, &end, 10);
    if (end != text && *end == '\0' && *text != '-' && number <= limit)
        value = static_cast<std::uint32_t>(number);
    else
        log_warning("hg_cls", "{}=\"{}\" is not a whole number up to {}; ignored", name, text,
                    limit);
}

void read_environment(Options& options) {
    read_number("CINNABAR_SPIN_US", 1000000, options.spin_us);
    read_number("CINNABAR_ACK_TIMEOUT_MS", 3600000, options.ack_timeout_ms);
    std::uint32_t mebibytes = static_cast<std::uint32_t>(options.max_payload >> 20);
    read_number("CINNABAR_MAX_PAYLOAD_MIB", 1 << 20, mebibytes);
    options.max_payload = std::uint64_t{mebibytes} << 20;
}

na_init_info na_options(const hg_init_info& info) {
    const na_init_info_4_0& old = info.na_init_info;
    na_init_info na{};
    na.ip_subnet = old.ip_subnet;
    na.auth_key = old.auth_key;
    na.max_unexpected_size = old.max_unexpected_size;
    na.max_expected_size = old.max_expected_size;
    na.progress_mode = old.progress_mode;
    na.addr_format = old.addr_format;
    na.max_contexts = old.max_contexts;
    na.thread_mode = old.thread_mode;
    na.request_mem_device = old.request_mem_device;
    na.traffic_class = info.traffic_class;
    return na;
}

bool is_shared_memory(na_class_t* net) {
    return std::string_view(NA_Get_class_name(net)) == "na" &&
           std::string_view(NA_Get_class_protocol(net)) == "sm";
}

// auto_sm: puts a route over the net and one of shared memory. False after a log line; then the
// net is closed.
bool add_route(hg_class& cls, const hg_init_info& info, const na_init_info& na, bool listen) {
    const std::string name = info.sm_info_string == nullptr
                                 ? std::string("na+sm")
                                 : "na+sm://" + std::string(info.sm_info_string);
    na_class_t* second = NA_Initialize_opt2(name.c_str(), listen,
                                            NA_VERSION(NA_VERSION_MAJOR, NA_VERSION_MINOR), &na);
    if (second == nullptr) {
        (void)NA_Finalize(cls.na);
        return false;
    }
    na_class_t* route = open_route(cls.na, second, listen);
    if (route == nullptr) return false;
    cls.na = route;
    cls.routed = true;
    // Receives are spread over both.
    cls.options.request_post_init *= 2;
    return true;
}

bool open_net(hg_class& cls, const char* info_string, bool listen, const hg_init_info& info) {
    if (info.na_class != nullptr) {
        if (info.auto_sm != 0)
            log_warning("hg_cls", "auto_sm is ignored: the net was opened by the program");
        cls.na = cls.named = info.na_class;
        cls.owns_na = false;
        return true;
    }
    const na_init_info na = na_options(info);
    cls.busy_polling = (na.progress_mode & NA_NO_BLOCK) != 0;
    cls.na = NA_Initialize_opt2(info_string, listen, NA_VERSION(NA_VERSION_MAJOR, NA_VERSION_MINOR),
                                &na);
    cls.named = cls.na;
    if (cls.na == nullptr || info.auto_sm == 0) return cls.na != nullptr;
    if (is_shared_memory(cls.na)) {
        log_warning("hg_cls", "auto_sm is ignored: the net is shared memory already");
        return true;
    }
    return add_route(cls, info, na, listen);
}

hg_return_t measure(hg_class& cls) {
    cls.request_start = NA_Msg_get_unexpected_header_size(cls.na);
    cls.response_start = NA_Msg_get_expected_header_size(cls.na);
    const std::size_t request = NA_Msg_get_max_unexpected_size(cls.na);
    const std::size_t response = NA_Msg_get_max_expected_size(cls.na);
    // Room for a header and the descriptor of a payload that overflows.
    constexpr std::size_t least = 256;
    if (request < cls.request_start + least || response < cls.response_start + least)
        return fail(HG_MSGSIZE, "hg_cls",
                    "messages of {} and {} bytes are too small: at least {} are needed", request,
                    response, least);
    cls.request_room = request - cls.request_start;
    cls.response_room = response - cls.response_start;
    return HG_SUCCESS;
}

}  // namespace

hg_class* open_class(const char* info_string, bool listen, unsigned version,
                     const hg_init_info* given) {
    hg_init_info info{};
    if (given != nullptr) {
        if (version == 0) {
            (void)fail(HG_INVALID_ARG, "hg_cls",
                       "HG_Init_opt2: version 0 with options; pass HG_VERSION(HG_VERSION_MAJOR, "
                       "HG_VERSION_MINOR)");
            return nullptr;
        }
        std::memcpy(&info, given, layout_size(version));
    }
    if (info.multi_recv_copy_threshold >
        (info.multi_recv_op_max == 0 ? 4 : info.multi_recv_op_max)) {
        (void)fail(HG_INVALID_ARG, "hg_cls",
                   "multi_recv_copy_threshold {} exceeds multi_recv_op_max",
                   info.multi_recv_copy_threshold);
        return nullptr;
    }
    if (info.checksum_level > HG_CHECKSUM_RPC_PAYLOAD) {
        (void)fail(HG_INVALID_ARG, "hg_cls", "checksum_level {} does not exist",
                   static_cast<int>(info.checksum_level));
        return nullptr;
    }
    auto cls = std::make_unique<hg_class>();
    read_options(info, cls->options);
    read_environment(cls->options);
    if (!open_net(*cls, info_string, listen, info)) return nullptr;
    if (measure(*cls) != HG_SUCCESS) {
        if (cls->owns_na) (void)NA_Finalize(cls->na);
        return nullptr;
    }
    add_to_counting(*cls);
    return cls.release();
}

hg_return_t close_class(hg_class& cls) {
    const int bulks = cls.bulks.load(std::memory_order_acquire);
    const int contexts = cls.contexts.load(std::memory_order_acquire);
    const int addresses = cls.addresses.load(std::memory_order_acquire);
    if (bulks > 0 || contexts > 0 || addresses > 0) {
        log_warning("hg_cls",
                    "HG_Finalize: {} bulk handle(s), {} context(s), {} address(es) are still alive",
                    bulks, contexts, addresses);
        return HG_BUSY;
    }
    if (cls.options.stats) dump_counters(cls);
    // The dump of all classes names the net.
    remove_from_counting(cls);
    if (cls.owns_na)
        if (const na_return_t ret = NA_Finalize(cls.na); ret != NA_SUCCESS) {
            add_to_counting(cls);
            return from_na(ret);
        }
    if (cls.data_free != nullptr) cls.data_free(cls.data);
    delete &cls;
    return HG_SUCCESS;
}

hg_id_t id_of_name(const char* name) noexcept {
    std::uint32_t hash = 5381;
    // Characters count as signed, as they do on the machines where such ids were first computed.
    for (const char* c = name; *c != '\0'; ++c)
        hash = hash * 33 + static_cast<std::uint32_t>(static_cast<signed char>(*c));
    return hash;
}

}  // namespace cinnabar::hg
