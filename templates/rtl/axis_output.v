// An AXI4-Stream master behind an output of a design. Each element of a beat takes BYTES bytes of `tdata`, element 0
// lowest, extended by its sign or by zeros; beats lie in the words of the bus as in axis_input.v, and what they leave of
// a word is zero. TLAST comes with the last word of each frame.
`default_nettype none
module axis_output #(
    parameter LANES  = 1,           // elements of a beat
    parameter WIDTH  = 6,           // bits of an element
    parameter SIGNED = 1,
    parameter BYTES  = 1,
    parameter BEATS  = 1,           // of a frame
    parameter BUS    = BYTES*LANES  // bytes of a word
) (
    input  wire                   clk,
    input  wire                   rst,
    input  wire                   valid,
    output wire                   ready,
    input  wire [LANES*WIDTH-1:0] data,
    output wire                   tvalid,
    input  wire                   tready,
    output wire                   tlast,
    output wire [8*BUS-1:0]       tdata
);
    localparam SPARE = 8*BYTES - WIDTH;
    localparam OWN   = BYTES*LANES;
    localparam WORDS = (OWN + BUS - 1)/BUS;                 // of a beat
    localparam PLACE = OWN > BUS ? WORDS*BUS : OWN == BUS ? OWN : 1 << $clog2(OWN);
    localparam PARTS = OWN > BUS ? 1 : BUS/PLACE;           // beats of a word
    wire               frame_end;
    wire [8*PLACE-1:0] beat;
    step_counter #(.LENGTH(BEATS)) counter (
        .clk(clk), .rst(rst), .step(valid & ready), .at(), .next(), .last(frame_end)
    );
    genvar i;
    generate
        for (i = 0; i < LANES; i = i + 1) begin : element
            wire [WIDTH-1:0] value = data[i*WIDTH +: WIDTH];
            assign beat[i*8*BYTES +: WIDTH] = value;
            if (SPARE > 0) assign beat[i*8*BYTES + WIDTH +: SPARE] = {SPARE{(SIGNED != 0) & value[WIDTH-1]}};
        end
        if (PLACE > OWN) assign beat[8*PLACE-1:8*OWN] = {8*(PLACE - OWN){1'b0}};
        if (WORDS > 1) begin : several_words
            wire word_last;
            stream_serialize #(.WIDTH(8*BUS), .PARTS(WORDS)) words (
                .clk(clk), .rst(rst), .in_valid(valid), .in_ready(ready), .in_data(beat),
                .out_valid(tvalid), .out_ready(tready), .out_data(tdata)
            );
            step_counter #(.LENGTH(WORDS)) place (
                .clk(clk), .rst(rst), .step(tvalid & tready), .at(), .next(), .last(word_last)
            );
            assign tlast = frame_end & word_last;
        end else if (PARTS > 1) begin : part_of_a_word
            axis_join #(.BITS(8*PLACE), .PARTS(PARTS)) join_beats (
                .clk(clk), .rst(rst), .frame_end(frame_end), .in_valid(valid), .in_ready(ready), .in_data(beat),
                .out_valid(tvalid), .out_ready(tready), .out_data(tdata)
            );
            assign tlast = frame_end;
        end else begin : one_word
            assign tvalid = valid;
            assign ready  = tready;
            assign tlast  = frame_end;
            assign tdata  = beat;
        end
    endgenerate
endmodule
`default_nettype wire
