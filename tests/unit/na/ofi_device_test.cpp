// SPDX-License-Identifier: BSD-3-Clause
// Which device is taken of offers that are made up after the providers' documents: for hardware
// that is not here.
#include "plugins/ofi/device.hpp"

#include <catch2/catch.hpp>
#include <cstring>
#include <vector>

#include "plugins/ofi/providers.hpp"
#include "tests/support/log_check.hpp"

using namespace cinnabar::ofi;
using cinnabar::test::allow_log;

namespace {

struct Offer {
    const char* provider;
    const char* domain;
    const char* ip = nullptr;
    fi_ep_type type = FI_EP_RDM;
    std::uint64_t caps = FI_MSG | FI_RMA;
    std::uint64_t mr_mode = 0;
    std::uint64_t mode = 0;
    std::uint64_t order = FI_ORDER_SAS;
};

// A list as the library gives it.
Info list_of(const std::vector<Offer>& offers) {
    Info first;
    for (auto offer = offers.rbegin(); offer != offers.rend(); ++offer) {
        fi_info* info = fi_allocinfo();
        info->fabric_attr->prov_name = ::strdup(offer->provider);
        info->fabric_attr->name = ::strdup("fabric");
        info->domain_attr->name = ::strdup(offer->domain);
        info->ep_attr->type = offer->type;
        info->caps = offer->caps;
        info->mode = offer->mode;
        info->domain_attr->mr_mode = static_cast<int>(offer->mr_mode);
        info->tx_attr->msg_order = info->rx_attr->msg_order = offer->order;
        if (offer->ip != nullptr) {
            const Raw raw = raw_of_ip(*cinnabar::na::sdk::parse_ip(offer->ip), 0);
            info->src_addr = std::malloc(raw.size());
            info->src_addrlen = raw.size();
            std::memcpy(info->src_addr, raw.data(), raw.size());
        }
        info->next = first.release();
        first.reset(info);
    }
    return first;
}

// The domain of the device that is taken; empty: none.
std::string pick(const std::string& protocol, const std::string& host,
                 const std::vector<Offer>& offers) {
    const Info list = list_of(offers);
    const na_init_info init{};
    const na_plugin_open request{sizeof request, protocol.c_str(), host.c_str(), true, &init};
    auto device = pick_device(*find_provider(protocol), request, list.get());
    return device.ok() ? device->info->domain_attr->name : "";
}

// Why none of them is taken, whatever the host.
std::string why_none(const std::string& protocol, const std::vector<Offer>& offers) {
    const Provider& provider = *find_provider(protocol);
    const Info list = list_of(offers);
    std::vector<Candidate> candidates;
    for (const fi_info* info = list.get(); info != nullptr; info = info->next)
        candidates.push_back(candidate_of(provider, *info));
    std::string why;
    CHECK_FALSE(choose(candidates, {provider.library, "", std::nullopt}, why).has_value());
    return why;
}

constexpr std::uint64_t verbs_mr = FI_MR_LOCAL | FI_MR_VIRT_ADDR | FI_MR_ALLOCATED | FI_MR_PROV_KEY;

}  // namespace

TEST_CASE("devices that are not here are chosen by what their providers say") {
    const std::vector<Offer> fabric = {
        {"verbs", "mlx5_0", "127.0.0.1", FI_EP_MSG, FI_MSG | FI_RMA, verbs_mr},
        {"verbs;ofi_rxm", "mlx5_0", "192.0.2.2", FI_EP_RDM, FI_MSG | FI_RMA, verbs_mr},
        {"verbs;ofi_rxm", "mlx5_1", "127.0.0.1", FI_EP_RDM, FI_MSG | FI_RMA, verbs_mr},
        {"psm2", "hfi1_0", nullptr},
        {"psm3", "irdma0", nullptr, FI_EP_DGRAM},
        {"psm3", "irdma1", nullptr},
        {"opx", "hfi1_0", nullptr, FI_EP_RDM, FI_MSG | FI_RMA, FI_MR_VIRT_ADDR | FI_MR_PROV_KEY},
        {"cxi", "cxi0", nullptr, FI_EP_RDM, FI_MSG | FI_RMA,
         FI_MR_ENDPOINT | FI_MR_ALLOCATED | FI_MR_PROV_KEY},
        {"cxi", "cxi1", nullptr, FI_EP_RDM, FI_MSG | FI_RMA, FI_MR_ENDPOINT},
    };
    CHECK(pick("verbs;ofi_rxm", "127.0.0.1", fabric) == "mlx5_1");
    CHECK(pick("verbs", "mlx5_0", fabric) == "mlx5_0");
    CHECK(pick("verbs", "mlx5_1/127.0.0.1:4711", fabric) == "mlx5_1");
    CHECK(pick("psm2", "", fabric) == "hfi1_0");
    CHECK(pick("psm3", "", fabric) == "irdma1");
    CHECK(pick("opx", "hfi1_0", fabric) == "hfi1_0");
    CHECK(pick("cxi", "", fabric) == "cxi0");
    CHECK(pick("cxi", "cxi1", fabric) == "cxi1");
}

TEST_CASE("a device that cannot be used is named with what it lacks") {
    const std::string none =
        why_none("cxi", {{"cxi", "cxi0", nullptr, FI_EP_RDM, FI_MSG},
                         {"cxi", "cxi1", nullptr, FI_EP_RDM, FI_MSG | FI_RMA, 0, 0, 0},
                         {"cxi", "cxi2", nullptr, FI_EP_RDM, FI_MSG | FI_RMA, 0, FI_MSG_PREFIX},
                         {"cxi", "cxi3", nullptr, FI_EP_MSG},
                         {"cxi", "cxi4", nullptr, FI_EP_RDM, FI_MSG | FI_RMA, FI_MR_RAW},
                         {"psm2", "hfi1_0"}});
    CAPTURE(none);
    for (const char* text :
         {"cxi domain cxi0: it has no transfers", "cxi domain cxi1: it does not keep the order",
          "cxi domain cxi2: it wants what is not done here",
          "cxi domain cxi3: its endpoints are not for all peers",
          "cxi domain cxi4: it wants memory registered in a way not done here",
          "psm2 domain hfi1_0: the provider is not cxi"})
        CHECK(none.find(text) != std::string::npos);
    allow_log("no device");
    CHECK(pick("opx", "", {{"psm2", "hfi1_0"}}) == "");
}
