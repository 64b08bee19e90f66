// SPDX-License-Identifier: BSD-3-Clause
#include "na/base/errno_code.hpp"

#include <cerrno>

namespace cinnabar {

na_return_t code_of_errno(int error) noexcept {
    switch (error) {
        case 0:
            return NA_SUCCESS;
        case EPERM:
            return NA_PERMISSION;
        case ENOENT:
            return NA_NOENTRY;
        case EINTR:
            return NA_INTERRUPT;
        case EAGAIN:
        case EMFILE:
        case ENFILE:
            return NA_AGAIN;
        case ENOMEM:
        case ENOBUFS:
            return NA_NOMEM;
        case EACCES:
            return NA_ACCESS;
        case EFAULT:
            return NA_FAULT;
        case EBUSY:
            return NA_BUSY;
        case EEXIST:
            return NA_EXIST;
        case ENODEV:
        case ENXIO:
            return NA_NODEV;
        case EINVAL:
            return NA_INVALID_ARG;
        case EPROTO:
            return NA_PROTOCOL_ERROR;
        case EOVERFLOW:
            return NA_OVERFLOW;
        case EMSGSIZE:
            return NA_MSGSIZE;
        case EPROTONOSUPPORT:
        case EAFNOSUPPORT:
            return NA_PROTONOSUPPORT;
        case EOPNOTSUPP:
        case ENOSYS:
            return NA_OPNOTSUPPORTED;
        case EADDRINUSE:
            return NA_ADDRINUSE;
        case EADDRNOTAVAIL:
            return NA_ADDRNOTAVAIL;
        case ENETUNREACH:
        case EHOSTUNREACH:
        case ECONNREFUSED:
        case ECONNRESET:
        case ECONNABORTED:
        case ESHUTDOWN:
        case ENOTCONN:
        case ESRCH:
        case EPIPE:
            return NA_HOSTUNREACH;
        case ETIMEDOUT:
            return NA_TIMEOUT;
        case ECANCELED:
            return NA_CANCELED;
        default:
            return NA_IO_ERROR;
    }
}

}  // namespace cinnabar
