// SPDX-License-Identifier: BSD-3-Clause
#include "cinnabar/provider.hpp"

#include "hl/engine/core.hpp"

namespace cinnabar {
inline namespace v1 {

void Provider::publish(Engine& engine, std::uint16_t id, const Pool& pool) {
    core_ = engine.core_;
    id_ = id;
    try {
        for (auto& [name, handler] : methods_)
            engine.define_handler(name, id, std::move(handler), pool).value();
    } catch (...) {
        withdraw();
        throw;
    }
}

void Provider::withdraw() noexcept {
    for (auto& [name, handler] : methods_)
        core_->withdraw(name, id_);
}

}  // namespace v1
}  // namespace cinnabar
