/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the machine costs, measured without any code of the project, to check the floors of
 * cinnabar-perf against: two processes on two processors, and one thing that they do for one
 * another. bare_floor line|socket|read|copy prints the microseconds of one, the best of many short
 * phases.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { phases = 50, message = 64, block = 65536 };

struct shared {
    _Alignas(64) unsigned long word;
    _Alignas(4096) char bytes[block];
};

static struct shared* area;
static int client_end, server_end;
static pid_t server;
static char buffer[block];

static void expect(int good, const char* what) {
    if (good) return;
    perror(what);
    exit(1);
}

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

static void pin_to(size_t cpu) {
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(cpu, &set);
    if (sysconf(_SC_NPROCESSORS_ONLN) > 1) sched_setaffinity(0, sizeof set, &set);
}

static void move(int socket, int sends) {
    size_t done = 0;
    unsigned spins = 0;
    while (done < message) {
        const ssize_t part =
            sends ? send(socket, buffer + done, message - done, MSG_DONTWAIT | MSG_NOSIGNAL)
                  : recv(socket, buffer + done, message - done, MSG_DONTWAIT);
        expect(part > 0 || (part < 0 && errno == EAGAIN), "a socket");
        if (part > 0)
            done += (size_t)part;
        else if (++spins % 1000 == 0)
            sched_yield();
    }
}

static void await_word(const unsigned long* word, unsigned long value) {
    unsigned spins = 0;
    while (__atomic_load_n(word, __ATOMIC_ACQUIRE) != value)
        if (++spins % 20000 == 0) sched_yield();
}

/* A line comes and goes in some hundred cycles, so nothing but the loop is between two of them. */
static void step_line(unsigned long first, unsigned long count) {
    unsigned long* const word = &area->word;
    for (unsigned long i = first; i < first + count; i++) {
        __atomic_store_n(word, 2 * i + 1, __ATOMIC_RELEASE);
        await_word(word, 2 * i + 2);
    }
}

static void serve_line(unsigned long first, unsigned long count) {
    unsigned long* const word = &area->word;
    for (unsigned long i = first; i < first + count; i++) {
        await_word(word, 2 * i + 1);
        __atomic_store_n(word, 2 * i + 2, __ATOMIC_RELEASE);
    }
}

static void step_socket(unsigned long first, unsigned long count) {
    (void)first;
    for (unsigned long i = 0; i < count; i++) {
        move(client_end, 1);
        move(client_end, 0);
    }
}

static void serve_socket(unsigned long first, unsigned long count) {
    (void)first;
    for (unsigned long i = 0; i < count; i++) {
        move(server_end, 0);
        move(server_end, 1);
    }
}

static void step_read(unsigned long first, unsigned long count) {
    const struct iovec to = {buffer, block}, from = {area->bytes, block};
    (void)first;
    for (unsigned long i = 0; i < count; i++) {
        expect(process_vm_readv(server, &to, 1, &from, 1, 0) == block, "process_vm_readv");
    }
}

static void step_copy(unsigned long first, unsigned long count) {
    (void)first;
    for (unsigned long i = 0; i < count; i++) {
        memcpy(buffer, area->bytes, block);
        __asm__ volatile("" : : "r"(buffer) : "memory");
    }
}

static void serve_nothing(unsigned long first, unsigned long count) {
    (void)first;
    (void)count;
    pause();
}

static const struct {
    const char* name;
    void (*step)(unsigned long, unsigned long);
    void (*serve)(unsigned long, unsigned long);
    unsigned long steps; /* of one phase, about a millisecond */
} kinds[] = {{"line", step_line, serve_line, 8000},
             {"socket", step_socket, serve_socket, 150},
             {"read", step_read, serve_nothing, 400},
             {"copy", step_copy, serve_nothing, 800}};

static void connect_ends(void) {
    struct sockaddr_in name = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t size = sizeof name;
    const int on = 1, listener = socket(AF_INET, SOCK_STREAM, 0);
    client_end = socket(AF_INET, SOCK_STREAM, 0);
    expect(bind(listener, (struct sockaddr*)&name, size) == 0 && listen(listener, 1) == 0 &&
               getsockname(listener, (struct sockaddr*)&name, &size) == 0 &&
               connect(client_end, (struct sockaddr*)&name, size) == 0,
           "a connection");
    server_end = accept(listener, NULL, NULL);
    setsockopt(client_end, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    setsockopt(server_end, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    setsockopt(client_end, IPPROTO_TCP, TCP_CONGESTION, "reno", 4);
    setsockopt(server_end, IPPROTO_TCP, TCP_CONGESTION, "reno", 4);
}

int main(int argc, char** argv) {
    size_t kind = 0;
    double best = 1e9;
    const pid_t client = getpid();
    while (kind < 4 && (argc != 2 || strcmp(argv[1], kinds[kind].name) != 0))
        kind++;
    if (kind == 4) return fprintf(stderr, "bare_floor line|socket|read|copy\n"), 2;
    area = mmap(NULL, sizeof *area, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    expect(area != MAP_FAILED, "mmap");
    memset(area->bytes, 1, block);
    connect_ends();
    server = fork();
    expect(server >= 0, "fork");
    if (server == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        pin_to(1);
        for (unsigned long i = 0; getppid() == client; i += kinds[kind].steps)
            kinds[kind].serve(i, kinds[kind].steps);
        return 0;
    }
    pin_to(0);
    for (unsigned long phase = 0; phase < phases; phase++) {
        const double start = now();
        kinds[kind].step(phase * kinds[kind].steps, kinds[kind].steps);
        const double each = (now() - start) / (double)kinds[kind].steps;
        best = each < best ? each : best;
    }
    kill(server, SIGKILL);
    waitpid(server, NULL, 0);
    printf("%.4f\n", best * 1e6);
    return 0;
}
