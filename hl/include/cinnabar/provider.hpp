// SPDX-License-Identifier: BSD-3-Clause
// Services as classes. A class derived from Provider names its methods in its constructor:
//
//     class Store : public cinnabar::Provider {
//     public:
//         Store() { method("get", &Store::get); }
//         std::string get(const std::string& key);
//     };
//     auto store = engine.provide<Store>(7);
//     auto get = client.procedure<std::string(std::string)>("get", 7);
//
// They are served from when the object is complete until just before its destructor begins, under
// an id of 16 bits that lets several services of one kind live in one process. Methods may be
// called by many units at once.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "cinnabar/engine.hpp"

namespace cinnabar {
inline namespace v1 {

class CINNABAR_API Provider {
public:
    Provider() = default;
    Provider(const Provider&) = delete;
    Provider& operator=(const Provider&) = delete;
    virtual ~Provider() = default;

protected:
    // To be called by constructors. `const Caller&` may be the first parameter.
    template <class T, class R, class... A>
    void method(const std::string& name, R (T::*member)(A...)) {
        T* self = static_cast<T*>(this);
        add(name, [self, member](A... values) -> R {
            return (self->*member)(std::forward<A>(values)...);
        });
    }
    template <class T, class R, class... A>
    void method(const std::string& name, R (T::*member)(A...) const) {
        const T* self = static_cast<const T*>(this);
        add(name, [self, member](A... values) -> R {
            return (self->*member)(std::forward<A>(values)...);
        });
    }

private:
    template <class T>
    friend class Provided;

    template <class Function>
    void add(const std::string& name, Function function) {
        methods_.emplace_back(name, detail::make_handler(std::move(function)));
    }
    void publish(Engine& engine, std::uint16_t id, const Pool& pool);
    void withdraw() noexcept;

    std::vector<std::pair<std::string, std::shared_ptr<detail::Handler>>> methods_;
    std::shared_ptr<detail::EngineCore> core_;
    std::uint16_t id_ = 0;
};

// A provider that is served. Destroying it withdraws the methods, waits for the calls under way,
// and destroys the provider; before or after its engine. Not to be destroyed by a handler of its
// own.
template <class T>
class Provided {
public:
    template <class... Given>
    Provided(Engine& engine, std::uint16_t id, const Pool& pool, Given&&... given)
        : object_(std::make_unique<T>(std::forward<Given>(given)...)) {
        static_cast<Provider&>(*object_).publish(engine, id, pool);
    }
    Provided(Provided&&) noexcept = default;
    Provided& operator=(Provided&&) = delete;
    ~Provided() {
        if (object_ != nullptr) static_cast<Provider&>(*object_).withdraw();
    }

    T* operator->() const noexcept { return object_.get(); }
    T& operator*() const noexcept { return *object_; }

private:
    std::unique_ptr<T> object_;
};

template <class T, class... Given>
Provided<T> Engine::provide(std::uint16_t id, Given&&... given) {
    return provide_in<T>(pool(), id, std::forward<Given>(given)...);
}

template <class T, class... Given>
Provided<T> Engine::provide_in(Pool pool, std::uint16_t id, Given&&... given) {
    return Provided<T>(*this, id, pool, std::forward<Given>(given)...);
}

}  // namespace v1
}  // namespace cinnabar
