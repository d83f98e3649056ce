// Drives a streaming top (clk, rst, in_*, out_*) and records what comes out, and when.
//
//   harness INPUT OUTPUT VECTORS STALLED EPISODE PATIENCE
//
// INPUT:  VECTORS rows of IN_WORDS 32-bit words. OUTPUT: rows of OUT_WORDS words, then the cycles in which the vector was
// accepted and its result taken (64 bits each); VECTORS rows from a pass at full speed, then STALLED rows from a second
// pass (after a new reset) with bubbles on the input and back-pressure on the output, in a pattern that changes every
// EPISODE cycles; with an episode longer than the latency, the design fills up completely.
// A pass ends early when nothing happens for PATIENCE cycles; then rows are missing.
#include "Vtop.h"
#include "verilated.h"

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <random>
#include <type_traits>
#include <vector>

#ifndef IN_WORDS
#error "IN_WORDS and OUT_WORDS must be defined"
#endif

namespace {

using Words = std::vector<uint32_t>;

// Ports are plain integers up to 64 bits and arrays of words above; both start with the least significant word.
template <typename Port> void drive(Port& port, const uint32_t* words) {
    static_assert(sizeof(Port) <= IN_WORDS * 4 || sizeof(Port) <= 4, "IN_WORDS does not match in_data");
    std::memcpy(&port, words, sizeof(Port) < IN_WORDS * 4 ? sizeof(Port) : IN_WORDS * 4);
}

template <typename Port> void sample(const Port& port, uint32_t* words) {
    std::memcpy(words, &port, sizeof(Port) < OUT_WORDS * 4 ? sizeof(Port) : OUT_WORDS * 4);
}

class Bench {
public:
    Bench(const Words& input, uint64_t episode, uint64_t patience)
        : input_(input), episode_(episode), patience_(patience) {
        context_.randReset(2);
    }

    // Sends `count` vectors; appends a row for each result.
    void pass(size_t count, bool stall, Words& rows) {
        reset();
        std::vector<uint64_t> accepted;
        std::minstd_rand random(1);
        size_t sent = 0, received = 0;
        uint64_t idle = 0;
        bool offered = false;
        for (uint64_t cycle = 0; received < count && idle < patience_; ++cycle, ++idle) {
            // Once valid, an offer stays until it is taken, as the protocol demands.
            const uint64_t episode = cycle / episode_;
            offered = sent < count && (offered || !stall || episode % 3 < 2 || (random() >> 8) % 3 == 0);
            top_.in_valid = offered;
            // Out of four quarters: never ready, always ready, ready one cycle in four, ready three in four.
            const unsigned chances[] = {0, 4, 1, 3};
            top_.out_ready = !stall || (random() >> 8) % 4 < chances[episode % 4];
            if (sent < count) drive(top_.in_data, &input_[sent * IN_WORDS]);
            top_.clk = 0;
            top_.eval();
            if (top_.out_valid && top_.out_ready) {
                record(accepted.at(received++), cycle, rows);
                idle = 0;
            }
            if (top_.in_valid && top_.in_ready) {
                accepted.push_back(cycle);
                ++sent;
                offered = false;
                idle = 0;
            }
            top_.clk = 1;
            top_.eval();
        }
    }

private:
    void reset() {
        top_.rst = 1;
        top_.in_valid = 0;
        top_.out_ready = 0;
        for (int i = 0; i < 4; ++i) {
            top_.clk = 0;
            top_.eval();
            top_.clk = 1;
            top_.eval();
        }
        top_.rst = 0;
    }

    void record(uint64_t accepted, uint64_t taken, Words& rows) {
        const size_t start = rows.size();
        rows.resize(start + OUT_WORDS + 4);
        sample(top_.out_data, &rows[start]);
        std::memcpy(&rows[start + OUT_WORDS], &accepted, 8);
        std::memcpy(&rows[start + OUT_WORDS + 2], &taken, 8);
    }

    const Words& input_;
    const uint64_t episode_, patience_;
    VerilatedContext context_;
    Vtop top_{&context_};
};

}  // namespace

int main(int argc, char** argv) {
    if (argc != 7) return 2;
    const size_t vectors = std::strtoull(argv[3], nullptr, 10), stalled = std::strtoull(argv[4], nullptr, 10);
    Words input(vectors * IN_WORDS), rows;
    FILE* file = std::fopen(argv[1], "rb");
    if (!file || std::fread(input.data(), 4, input.size(), file) != input.size()) return 3;
    std::fclose(file);
    Bench bench(input, std::strtoull(argv[5], nullptr, 10), std::strtoull(argv[6], nullptr, 10));
    bench.pass(vectors, false, rows);
    bench.pass(stalled, true, rows);
    file = std::fopen(argv[2], "wb");
    if (!file || std::fwrite(rows.data(), 4, rows.size(), file) != rows.size() || std::fclose(file) != 0) return 4;
    return 0;
}
