// SPDX-License-Identifier: BSD-3-Clause
#include "hl/tools/perf/count.hpp"

#include <mercury_bulk.h>
#include <unistd.h>

#include <memory>
#include <string>
#include <vector>

#include "hl/tools/perf/caller.hpp"
#include "hl/tools/perf/descriptors.hpp"
#include "hl/tools/perf/fail.hpp"
#include "hl/tools/perf/net.hpp"

namespace cinnabar::perf {
namespace {

struct CountOptions {
    std::string info;
    std::uint64_t calls = 1000;
    std::size_t in_flight = 1;
    unsigned peers = 1;    // clients; only the first one calls, the others have called once
    std::size_t pull = 0;  // bytes: count pulls of so many from the server's memory instead
};

// Calls of "sum" whose server is in the same process, which one thread polls in turn.
class Counted {
public:
    explicit Counted(const CountOptions& options)
        : options_(options), server_(options.info, true, true) {
        const std::string address = server_.self();
        for (unsigned i = 0; i < options.peers; ++i) {
            nets_.push_back(std::make_unique<Net>(client_info(address), false, true));
            hg_addr_t to = HG_ADDR_NULL;
            check(HG_Addr_lookup2(nets_[i]->hg_class(), address.c_str(), &to), "HG_Addr_lookup2");
            servers_.push_back(to);
        }
    }
    Counted(const Counted&) = delete;
    Counted& operator=(const Counted&) = delete;
    ~Counted() {
        for (const hg_bulk_t region : {theirs_, ours_, exposed_})
            check(HG_Bulk_free(region), "HG_Bulk_free");
        for (std::size_t i = 0; i < nets_.size(); ++i)
            check(HG_Addr_free(nets_[i]->hg_class(), servers_[i]), "HG_Addr_free");
    }

    void run() {
        for (std::size_t i = nets_.size(); i-- > 0;)
            call(i, i == 0 ? options_.in_flight : 1, i == 0 ? warm_calls : 1);
        if (options_.pull > 0) {
            describe_memory();
            pull(warm_calls);
        }
        // System calls that fail, for those who trace them.
        [[maybe_unused]] ssize_t written = ::write(-1, "begin", 5);
        measured();
        written = ::write(-1, "end", 3);
    }

private:
    struct Call {
        Counted* counted;
        hg_handle_t handle;
    };

    static constexpr std::uint64_t warm_calls = 500;

    // A function of its own, by whose name callgrind finds what is to be counted.
    [[gnu::noipa]] void measured() {
        if (options_.pull > 0)
            pull(options_.calls);
        else
            call(0, options_.in_flight, options_.calls);
    }

    // One at a time.
    void pull(std::uint64_t transfers) {
        for (pulled_ = 0; pulled_ < transfers;) {
            const std::uint64_t before = pulled_;
            check(HG_Bulk_transfer(nets_[0]->context(), on_pulled, this, HG_BULK_PULL, servers_[0],
                                   theirs_, 0, ours_, 0, options_.pull, HG_OP_ID_IGNORE),
                  "HG_Bulk_transfer");
            while (pulled_ == before) {
                nets_[0]->poll();
                if (pulled_ == before) server_.poll();
            }
        }
    }

    static hg_return_t on_pulled(const hg_cb_info* info) {
        check(info->ret, "a pull");
        ++static_cast<Counted*>(info->arg)->pulled_;
        return HG_SUCCESS;
    }

    void describe_memory() {
        memory_.resize(2 * options_.pull);
        const auto describe = [&](hg_class_t* owner, char* memory, hg_bulk_t& region) {
            void* start = memory;
            const hg_size_t size = options_.pull;
            check(HG_Bulk_create(owner, 1, &start, &size, HG_BULK_READWRITE, &region),
                  "HG_Bulk_create");
        };
        describe(server_.hg_class(), memory_.data(), exposed_);
        describe(nets_[0]->hg_class(), memory_.data() + options_.pull, ours_);
        std::vector<char> description(HG_Bulk_get_serialize_size(exposed_, 0));
        check(HG_Bulk_serialize(description.data(), description.size(), 0, exposed_),
              "HG_Bulk_serialize");
        check(HG_Bulk_deserialize(nets_[0]->hg_class(), &theirs_, description.data(),
                                  description.size()),
              "HG_Bulk_deserialize");
    }

    void call(std::size_t net, std::size_t in_flight, std::uint64_t calls) {
        std::vector<Call> all(in_flight, Call{this, HG_HANDLE_NULL});
        forwarded_ = answered_ = 0;
        calls_ = calls;
        for (Call& each : all) {
            check(HG_Create(nets_[net]->context(), servers_[net], nets_[net]->sum(), &each.handle),
                  "HG_Create");
            forward(each);
        }
        while (answered_ < calls_) {
            server_.poll();
            nets_[net]->poll();
        }
        for (Call& each : all)
            check(HG_Destroy(each.handle), "HG_Destroy");
    }

    void forward(Call& each) {
        if (forwarded_ == calls_) return;
        ++forwarded_;
        SumIn in{1, 2};
        check(HG_Forward(each.handle, on_answer, &each, &in), "HG_Forward");
    }

    static hg_return_t on_answer(const hg_cb_info* info) {
        check(info->ret, "a call");
        Call& each = *static_cast<Call*>(info->arg);
        take_sum(each.handle, 3);
        ++each.counted->answered_;
        each.counted->forward(each);
        return HG_SUCCESS;
    }

    const CountOptions& options_;
    Net server_;
    std::vector<std::unique_ptr<Net>> nets_;
    std::vector<hg_addr_t> servers_;
    std::uint64_t calls_ = 0;
    std::uint64_t forwarded_ = 0;
    std::uint64_t answered_ = 0;
    std::uint64_t pulled_ = 0;
    std::vector<char> memory_;  // the server's half, then ours
    hg_bulk_t exposed_ = HG_BULK_NULL;
    hg_bulk_t theirs_ = HG_BULK_NULL;
    hg_bulk_t ours_ = HG_BULK_NULL;
};

}  // namespace

void declare_count(CLI::App& app, std::function<int()>& chosen) {
    auto* command = app.add_subcommand("count")->group("");
    auto options = std::make_shared<CountOptions>();
    command->add_option("info", options->info)->required();
    command->add_option("--calls", options->calls);
    command->add_option("--in-flight", options->in_flight)->check(CLI::Range(1, 4096));
    command->add_option("--pull", options->pull)->check(CLI::Range(0, 1 << 30));
    command->add_option("--peers", options->peers)->check(CLI::Range(1, 100000));
    command->callback([options, &chosen] {
        chosen = [options] {
            allow_most_descriptors();
            Counted(*options).run();
            return 0;
        };
    });
}

}  // namespace cinnabar::perf
