// Puts the beats of a frame into the words of a bus that is PARTS times as wide, the first one in the least significant
// bits. A frame ends with a word of its own: where its last beat does not fill it, the rest is zero. The last beat of a
// word passes straight through: the word is offered in its cycle, and that beat is taken when the word is.
`default_nettype none
module axis_join #(
    parameter BITS  = 8,      // of a beat
    parameter PARTS = 2
) (
    input  wire                  clk,
    input  wire                  rst,
    input  wire                  frame_end,    // this beat is the last one of its frame
    input  wire                  in_valid,
    output wire                  in_ready,
    input  wire [BITS-1:0]       in_data,
    output wire                  out_valid,
    input  wire                  out_ready,
    output wire [PARTS*BITS-1:0] out_data
);
    localparam SLOTS = $clog2(PARTS);
    reg  [SLOTS-1:0]          slot;
    reg  [(PARTS-1)*BITS-1:0] earlier;
    wire [SLOTS-1:0]          following;
    wire                      word_end = frame_end | (slot == PARTS - 1);
    wire                      step = in_valid & in_ready;
    increment #(.WIDTH(SLOTS)) count (.in(slot), .out(following));
    always @(posedge clk)
        if (rst) slot <= {SLOTS{1'b0}};
        else if (step) slot <= word_end ? {SLOTS{1'b0}} : following;
    assign in_ready  = ~word_end | out_ready;
    assign out_valid = in_valid & word_end;
    genvar p;
    generate
        for (p = 0; p < PARTS; p = p + 1) begin : part
            if (p < PARTS - 1) begin : kept
                always @(posedge clk) if (step & slot == p) earlier[p*BITS +: BITS] <= in_data;
                assign out_data[p*BITS +: BITS] = slot == p ? in_data : slot > p ? earlier[p*BITS +: BITS] : {BITS{1'b0}};
            end else begin : straight
                assign out_data[p*BITS +: BITS] = slot == p ? in_data : {BITS{1'b0}};
            end
        end
    endgenerate
endmodule
`default_nettype wire
