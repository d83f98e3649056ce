// Takes the beats of a frame out of the words of a bus that is PARTS times as wide, the least significant one first. A
// frame begins with a new word: what follows its last beat in a word is dropped. Nothing is stored: the word waits at
// the input until its last beat is taken. The last beat of a word carries the word's TLAST.
`default_nettype none
module axis_split #(
    parameter BITS  = 8,      // of a beat
    parameter PARTS = 2
) (
    input  wire                  clk,
    input  wire                  rst,
    input  wire                  frame_end,    // this beat is the last one of its frame
    input  wire                  in_valid,
    output wire                  in_ready,
    input  wire                  in_last,
    input  wire [PARTS*BITS-1:0] in_data,
    output wire                  out_valid,
    input  wire                  out_ready,
    output wire                  out_last,
    output wire [BITS-1:0]       out_data
);
    localparam SLOTS = $clog2(PARTS);
    reg  [SLOTS-1:0] slot;
    wire [SLOTS-1:0] following;
    wire             step = in_valid & out_ready;
    wire             word_end = frame_end | (slot == PARTS - 1);
    increment #(.WIDTH(SLOTS)) count (.in(slot), .out(following));
    always @(posedge clk)
        if (rst) slot <= {SLOTS{1'b0}};
        else if (step) slot <= word_end ? {SLOTS{1'b0}} : following;
    assign in_ready  = word_end & out_ready;
    assign out_valid = in_valid;
    assign out_last  = in_last & word_end;
    assign out_data  = in_data[slot*BITS +: BITS];
endmodule
`default_nettype wire
