// SPDX-License-Identifier: BSD-3-Clause
#include "hl/tools/explain.hpp"

#include <arpa/inet.h>
#include <ifaddrs.h>

#include <algorithm>
#include <cstdarg>
#include <cstdio>
#include <memory>

#include "mercury.h"

namespace cinnabar::tools {
namespace {

std::vector<std::string>* log_lines = nullptr;

int keep_line(FILE*, const char* format, ...) {
    char line[2048];
    va_list arguments;
    va_start(arguments, format);
    const int size = std::vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    std::string text = line;
    while (!text.empty() && text.back() == '\n')
        text.pop_back();
    if (log_lines != nullptr) log_lines->push_back(std::move(text));
    return size;
}

// "[class+]protocol[://host]" in parts; what is not there is empty.
Protocol parts_of(const std::string& text) {
    const std::string head = text.substr(0, text.find(':'));
    const std::size_t plus = head.find('+');
    if (plus == std::string::npos) return {"", head, ""};
    return {head.substr(0, plus), head.substr(plus + 1), ""};
}

// "na+tcp://[::1]:4242" gives "::1".
std::string host_of(const std::string& address) {
    const std::size_t start = address.find("://");
    if (start == std::string::npos) return "";
    std::string host = address.substr(start + 3);
    if (host.starts_with('[')) return host.substr(1, host.find(']') - 1);
    return host.substr(0, host.rfind(':'));
}

// The interface that has this IP address; empty if none has.
std::string interface_of(const std::string& host) {
    ifaddrs* raw = nullptr;
    if (::getifaddrs(&raw) != 0) return "";
    const std::unique_ptr<ifaddrs, decltype(&::freeifaddrs)> list(raw, ::freeifaddrs);
    for (const ifaddrs* entry = raw; entry != nullptr; entry = entry->ifa_next) {
        if (entry->ifa_addr == nullptr) continue;
        const int family = entry->ifa_addr->sa_family;
        if (family != AF_INET && family != AF_INET6) continue;
        const void* ip = &reinterpret_cast<const sockaddr_in*>(entry->ifa_addr)->sin_addr;
        if (family == AF_INET6)
            ip = &reinterpret_cast<const sockaddr_in6*>(entry->ifa_addr)->sin6_addr;
        char text[INET6_ADDRSTRLEN] = "";
        if (::inet_ntop(family, ip, text, sizeof text) != nullptr && host == text)
            return entry->ifa_name;
    }
    return "";
}

std::string text_of(hg_class_t* cls, hg_addr_t addr) {
    char text[1024] = "";
    hg_size_t size = sizeof text;
    return HG_Addr_to_string(cls, text, &size, addr) == HG_SUCCESS ? text : "";
}

// The device behind an address of ours, as far as it can be told.
std::string device_of(const Protocol& used, const std::string& address,
                      const std::vector<Protocol>& all) {
    std::vector<std::string> devices;
    for (const Protocol& each : all)
        if (each.class_name == used.class_name && each.protocol == used.protocol)
            devices.push_back(each.device);
    if (devices.size() == 1) return devices.front();
    const std::string interface = interface_of(host_of(address));
    return std::find(devices.begin(), devices.end(), interface) == devices.end() ? "" : interface;
}

// Opens the string; listening, or to look it up.
bool open(const std::string& text, bool listen, Explanation& result) {
    const Protocol asked = parts_of(text);
    const std::string net =
        asked.class_name.empty() ? asked.protocol : asked.class_name + "+" + asked.protocol;
    hg_class_t* cls = HG_Init(listen ? text.c_str() : net.c_str(), listen);
    if (cls == nullptr) return false;
    result.used = {HG_Class_get_name(cls), HG_Class_get_protocol(cls), ""};
    hg_addr_t addr = HG_ADDR_NULL;
    const hg_return_t ret =
        listen ? HG_Addr_self(cls, &addr) : HG_Addr_lookup2(cls, text.c_str(), &addr);
    if (ret == HG_SUCCESS) {
        result.address = text_of(cls, addr);
        (void)HG_Addr_free(cls, addr);
    }
    (void)HG_Finalize(cls);
    return ret == HG_SUCCESS;
}

std::string reason_against(const Protocol& other, const Explanation& result) {
    const Protocol asked = parts_of(result.text);
    if (other.protocol != asked.protocol) return "its protocol was not asked for";
    if (!asked.class_name.empty() && other.class_name != asked.class_name)
        return "class " + asked.class_name + " was asked for";
    if (!result.opened && !result.called) return "it cannot be opened, see the log";
    if (other.class_name != result.used.class_name)
        return result.used.class_name + " comes first; say " + other.class_name + "+" +
               other.protocol + " to have this one";
    if (result.called) return "which device leads to the peer is the system's choice";
    if (result.used.device.empty()) return "which device is used cannot be told from the address";
    return "the address belongs to " + result.used.device;
}

}  // namespace

Explanation explain(const std::string& text) {
    Explanation result;
    result.text = text;
    log_lines = &result.log;
    HG_Set_log_level("warning");
    HG_Set_log_func(keep_line);
    const std::vector<Protocol> all = list_protocols("");
    result.opened = open(text, true, result);
    // Somebody else's address, perhaps; without a host there is nothing to look up.
    if (!result.opened && !host_of(text).empty()) result.called = open(text, false, result);
    if (result.opened) result.used.device = device_of(result.used, result.address, all);
    for (const Protocol& each : all)
        if (!(result.opened && each == result.used))
            result.others.push_back({each, reason_against(each, result)});
    log_lines = nullptr;
    return result;
}

}  // namespace cinnabar::tools
