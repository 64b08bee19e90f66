// SPDX-License-Identifier: BSD-3-Clause
// The public engine and endpoint.
#include "cinnabar/engine.hpp"

#include <mercury_bulk.h>

#include <algorithm>

#include "hl/engine/core.hpp"

namespace cinnabar {
inline namespace v1 {

Engine::Engine(std::shared_ptr<detail::EngineCore> core) noexcept : core_(std::move(core)) {}

Engine::Engine(const std::string& info, const EngineOptions& options)
    : Engine(open(info, options).value()) {}

Result<Engine> Engine::open(const std::string& info, const EngineOptions& options) {
    if (Result<void> checked = detail::check(options); !checked.ok()) return checked.error();
    auto core = std::make_shared<detail::EngineCore>(options);
    if (Result<void> opened = core->open(info); !opened.ok()) return opened.error();
    Engine engine(std::move(core));
    engine.define_introspection();
    return engine;
}

Result<Engine> Engine::from_json(const std::string& text, const EngineOptions& options) {
    Result<detail::Configuration> read = detail::read_json(text, options);
    if (!read.ok()) return read.error();
    return open(read.value().info, read.value().options);
}

Engine::Engine(Engine&&) noexcept = default;

Engine::~Engine() {
    if (core_ != nullptr) (void)core_->close(core_->options.drain);
}

Result<void> Engine::define_handler(const std::string& name, std::uint16_t provider,
                                    std::shared_ptr<detail::Handler> handler, Pool pool) {
    return core_->serve(name, provider, new detail::Served(std::move(handler), std::move(pool)));
}

void Engine::withdraw(const std::string& name, std::uint16_t provider) {
    core_->withdraw(name, provider);
}

namespace {

constexpr const char* introspection_name = "cinnabar.introspect";

double seconds(Clock::duration duration) {
    return std::chrono::duration<double>(duration).count();
}

PoolHealth health_of(const Pool& pool) {
    PoolHealth health;
    health.name = pool.name();
    for (const UnitInfo& unit : pool.units()) {
        switch (unit.state) {
            case UnitState::ready:
                ++health.ready;
                break;
            case UnitState::running:
                ++health.running;
                break;
            case UnitState::parked:
                ++health.parked;
                health.longest_parked_seconds =
                    std::max(health.longest_parked_seconds, seconds(unit.parked));
                break;
        }
    }
    return health;
}

}  // namespace

// A handler of the engine must not keep the engine.
void Engine::define_introspection() {
    if (!core_->options.listen || !core_->options.introspection) return;
    const std::weak_ptr<detail::EngineCore> engine = core_;
    define(introspection_name, [engine] {
        Introspection said;
        if (const auto core = engine.lock()) {
            said.procedures = core->served_names();
            said.uptime_seconds = seconds(Clock::now() - core->opened);
            for (const Pool& pool : core->pools)
                said.pools.push_back(health_of(pool));
            const auto* counted = dynamic_cast<const Statistics*>(core->options.monitor.get());
            if (counted != nullptr) said.statistics = counted->json();
        }
        return said;
    }).value();
}

Result<Introspection> Engine::introspect(const Endpoint& peer, Clock::duration patience) {
    return procedure<Introspection()>(introspection_name).on(peer).within(patience)();
}

std::shared_ptr<const detail::ProcedureCore> Engine::procedure_core(const std::string& name,
                                                                    std::uint16_t provider,
                                                                    std::uint64_t signature) {
    auto core = std::make_shared<detail::ProcedureCore>();
    core->engine = core_;
    core->name = detail::full_name(name, provider);
    core->signature = signature;
    if (const detail::Inside inside(*core_); inside) {
        core->id = core_->register_name(core->name, false);
        core->one_way_id = core_->register_name(core->name, true);
    }
    return core;
}

Result<Endpoint> Engine::lookup(const std::string& address) {
    const detail::Inside inside(*core_);
    if (!inside) return detail::closed_error();
    hg_addr_t found = HG_ADDR_NULL;
    if (const hg_return_t ret = HG_Addr_lookup2(core_->cls, address.c_str(), &found);
        ret != HG_SUCCESS)
        return error_of(ret, "cannot look up " + address);
    const bool self = HG_Addr_cmp(core_->cls, found, core_->self->addr) != 0;
    return Endpoint(std::make_shared<detail::Address>(core_, found, self, address));
}

Endpoint Engine::self() const {
    const detail::Inside inside(*core_);
    return inside ? Endpoint(core_->self) : Endpoint();
}

const Pool& Engine::pool() const {
    return core_->pool;
}

std::string Engine::dump() const {
    std::string text;
    for (const Pool& pool : core_->pools)
        text += pool.dump();
    return text;
}

std::optional<Pool> Engine::find_pool(const std::string& name) const {
    const Pool* found = core_->find_pool(name);
    return found != nullptr ? std::optional(*found) : std::nullopt;
}

std::string Engine::configuration() const {
    return detail::write_json({core_->info, core_->options});
}

Result<void> Engine::finalize(Clock::duration patience) {
    return core_->close(patience);
}

namespace {

std::string text_of(const detail::Address& address) {
    hg_class_t* cls = address.engine->cls;
    hg_size_t size = 0;
    if (HG_Addr_to_string(cls, nullptr, &size, address.addr) != HG_SUCCESS) return {};
    std::string text(size, '\0');
    if (HG_Addr_to_string(cls, text.data(), &size, address.addr) != HG_SUCCESS) return {};
    text.resize(size - 1);
    return text;
}

}  // namespace

std::string detail::name_of(const Address& address) {
    return address.name.empty() ? text_of(address) : address.name;
}

std::string Endpoint::address() const {
    if (address_ == nullptr) return {};
    const detail::Inside inside(*address_->engine);
    return inside ? text_of(*address_) : std::string();
}

}  // namespace v1
}  // namespace cinnabar
