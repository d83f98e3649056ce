// Drives the streams of a top (clk, rst, and <port>_valid, <port>_ready, <port>_data for each) and records what comes
// out, and when.
//
//   harness INPUT OUTPUT FRAMES STALLED EPISODE PATIENCE
//
// The macros INPUTS(X) and OUTPUTS(X) list the ports as X(name, words of a beat, beats of a frame).
// INPUT:  FRAMES rows, each with the beats of a frame of each input in turn, beats as 32-bit words.
// OUTPUT: rows of the beats of a frame of each output in turn, then the cycles in which each input accepted the first
// beat of the frame, and those in which each output gave its last one, 64 bits each; FRAMES rows from a pass at full
// speed, then STALLED rows from a second pass (after a new reset) with bubbles on the inputs and back-pressure on the
// outputs, each port on its own, in a pattern that changes every EPISODE cycles; with an episode longer than the
// latency, the design fills up completely.
// A pass ends early when nothing happens for PATIENCE cycles; then rows are missing.
#include "Vtop.h"
#include "verilated.h"

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <random>
#include <vector>

#if !defined(INPUTS) || !defined(OUTPUTS)
#error "INPUTS and OUTPUTS must be defined"
#endif

namespace {

using Words = std::vector<uint32_t>;

// One port. `count` is how many of its beats have been transferred in this pass.
struct Port {
    size_t words, beats;
    std::function<bool()> other_side;            // ready of an input, valid of an output
    std::function<void(bool)> my_side;           // valid of an input, ready of an output
    std::function<void(uint32_t*)> transfer;     // drive the data of an input, read those of an output
    size_t offset = 0, count = 0;
    bool willing = false;
};

// Ports are plain integers up to 64 bits and arrays of words above; both start with the least significant word.
template <typename Data> void drive(Data& data, const uint32_t* words, size_t count) {
    std::memcpy(&data, words, std::min(sizeof(Data), count * 4));
}

template <typename Data> void sample(const Data& data, uint32_t* words, size_t count) {
    std::memcpy(words, &data, std::min(sizeof(Data), count * 4));
}

class Bench {
public:
    Bench(uint64_t episode, uint64_t patience) : episode_(episode), patience_(patience) {
        context_.randReset(2);
#define ADD_INPUT(name, words, beats) \
        inputs_.push_back({words, beats, [this] { return bool(top_.name##_ready); }, \
                           [this](bool on) { top_.name##_valid = on; }, \
                           [this](uint32_t* data) { drive(top_.name##_data, data, words); }});
        INPUTS(ADD_INPUT)
#define ADD_OUTPUT(name, words, beats) \
        outputs_.push_back({words, beats, [this] { return bool(top_.name##_valid); }, \
                            [this](bool on) { top_.name##_ready = on; }, \
                            [this](uint32_t* data) { sample(top_.name##_data, data, words); }});
        OUTPUTS(ADD_OUTPUT)
        in_row_ = lay_out(inputs_);
        out_words_ = lay_out(outputs_);
        out_row_ = out_words_ + 2 * (inputs_.size() + outputs_.size());
    }

    size_t input_words() const { return in_row_; }

    // Sends the frames; appends a row for each one that came out whole.
    void pass(Words& input, size_t frames, bool stall, Words& rows) {
        reset();
        const size_t start = rows.size();
        rows.resize(start + frames * out_row_);
        std::minstd_rand random(1);
        uint64_t idle = 0;
        for (uint64_t cycle = 0; complete(outputs_) < frames && idle < patience_; ++cycle, ++idle) {
            set_up(input, frames, stall, cycle, random);
            top_.clk = 0;
            top_.eval();
            for (Port& port : outputs_) {
                const size_t frame = port.count / port.beats;
                if (!port.willing || !port.other_side() || frame >= frames) continue;
                port.transfer(&rows[start + frame * out_row_ + port.offset + port.count % port.beats * port.words]);
                std::memcpy(&rows[time(start, frame, inputs_.size() + index(outputs_, port))], &cycle, 8);
                ++port.count;
                idle = 0;
            }
            for (Port& port : inputs_) {
                if (!port.willing || !port.other_side()) continue;
                if (port.count % port.beats == 0)
                    std::memcpy(&rows[time(start, port.count / port.beats, index(inputs_, port))], &cycle, 8);
                ++port.count;
                port.willing = false;
                idle = 0;
            }
            top_.clk = 1;
            top_.eval();
        }
        rows.resize(start + complete(outputs_) * out_row_);
    }

private:
    // Where the cycle of the `port`-th port, inputs first, stands in the row of a frame.
    size_t time(size_t start, size_t frame, size_t port) const {
        return start + frame * out_row_ + out_words_ + 2 * port;
    }

    static size_t index(const std::vector<Port>& ports, const Port& port) { return &port - ports.data(); }

    static size_t lay_out(std::vector<Port>& ports) {
        size_t offset = 0;
        for (Port& port : ports) {
            port.offset = offset;
            offset += port.words * port.beats;
        }
        return offset;
    }

    static size_t complete(const std::vector<Port>& ports) {
        size_t least = ~size_t(0);
        for (const Port& port : ports) least = std::min(least, port.count / port.beats);
        return least;
    }

    // Who offers and who takes in this cycle. Once valid, an offer stays until it is taken, as the protocol demands.
    void set_up(Words& input, size_t frames, bool stall, uint64_t cycle, std::minstd_rand& random) {
        const uint64_t episode = cycle / episode_;
        for (Port& port : inputs_) {
            const bool eager = !stall || episode % 3 < 2 || (random() >> 8) % 3 == 0;
            port.willing = port.count < frames * port.beats && (port.willing || eager);
            port.my_side(port.willing);
            if (port.count < frames * port.beats)
                port.transfer(
                    &input[port.count / port.beats * in_row_ + port.offset + port.count % port.beats * port.words]);
        }
        for (Port& port : outputs_) {
            // Out of four quarters: never ready, always ready, ready one cycle in four, ready three in four.
            const unsigned chances[] = {0, 4, 1, 3};
            port.willing = !stall || (random() >> 8) % 4 < chances[episode % 4];
            port.my_side(port.willing);
        }
    }

    void reset() {
        for (Port& port : inputs_) port.my_side(port.willing = false), port.count = 0;
        for (Port& port : outputs_) port.my_side(port.willing = false), port.count = 0;
        for (int i = 0; i < 5; ++i) {
            top_.rst = i < 4;  // the design is at rest one cycle after it has been released
            top_.clk = 0;
            top_.eval();
            top_.clk = 1;
            top_.eval();
        }
    }

    const uint64_t episode_, patience_;
    VerilatedContext context_;
    Vtop top_{&context_};
    std::vector<Port> inputs_, outputs_;
    size_t in_row_ = 0, out_words_ = 0, out_row_ = 0;
};

}  // namespace

int main(int argc, char** argv) {
    if (argc != 7) return 2;
    const size_t frames = std::strtoull(argv[3], nullptr, 10), stalled = std::strtoull(argv[4], nullptr, 10);
    Bench bench(std::strtoull(argv[5], nullptr, 10), std::strtoull(argv[6], nullptr, 10));
    Words input(frames * bench.input_words()), rows;
    FILE* file = std::fopen(argv[1], "rb");
    if (!file || std::fread(input.data(), 4, input.size(), file) != input.size()) return 3;
    std::fclose(file);
    bench.pass(input, frames, false, rows);
    bench.pass(input, stalled, true, rows);
    file = std::fopen(argv[2], "wb");
    if (!file || std::fwrite(rows.data(), 4, rows.size(), file) != rows.size() || std::fclose(file) != 0) return 4;
    return 0;
}
