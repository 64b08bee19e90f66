// SPDX-License-Identifier: BSD-3-Clause
// The operations that pipelines run: calls of "sum", bytes there and back, and transfers. Each
// checks what it gets. One thread; borrow the caller.
#pragma once

#include <vector>

#include "hl/tools/perf/area.hpp"
#include "hl/tools/perf/caller.hpp"
#include "hl/tools/perf/pipeline.hpp"

namespace cinnabar::perf {

// Handles for `count` slots, of one procedure.
class Handles {
public:
    Handles(Caller& caller, hg_id_t id, std::size_t count);
    Handles(const Handles&) = delete;
    Handles& operator=(const Handles&) = delete;
    ~Handles();
    hg_handle_t operator[](std::size_t slot) const { return handles_[slot]; }

private:
    std::vector<hg_handle_t> handles_;
};

class SumCall : public Operation {
public:
    SumCall(Caller& caller, std::size_t in_flight);
    void start(Place& slot) override;

private:
    static hg_return_t on_answer(const hg_cb_info* info);
    Handles handles_;
};

class EchoCall : public Operation {
public:
    EchoCall(Caller& caller, std::size_t in_flight, std::uint32_t size);
    void start(Place& slot) override;

private:
    static hg_return_t on_answer(const hg_cb_info* info);
    Handles handles_;
    std::vector<std::byte> sent_;
    std::vector<std::byte> received_;
};

struct TransferShape {
    Shape part;                 // one transfer
    std::size_t in_flight = 1;  // each has memory of its own, as far as the largest area reaches
    hg_bulk_op_t op = HG_BULK_PULL;
};

class Transfer : public Operation {
public:
    Transfer(Caller& caller, const TransferShape& shape);
    ~Transfer() override;
    void start(Place& slot) override;
    // Fails if bytes that were pulled are not those of the server.
    void check_bytes() const;

private:
    static hg_return_t on_end(const hg_cb_info* info);
    Caller& caller_;
    TransferShape shape_;
    std::uint64_t parts_;  // that fit the area
    Area area_;
    std::uint64_t number_ = 0;  // of the server's memory
    hg_bulk_t remote_ = HG_BULK_NULL;
};

}  // namespace cinnabar::perf
