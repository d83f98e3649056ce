// An AXI4-Stream slave in front of an input of a design. Each element of a beat takes BYTES bytes of `tdata`, element 0
// lowest; bits that its type does not have are not looked at. Where a beat has more bytes than a word of the bus, it
// takes whole words; where it has fewer, several beats share a word, each in 1, 2, 4 ... bytes. A frame begins with a
// new word.
// TLAST is not needed: frames have a fixed length. Where it comes, it has to come with the last word of each frame;
// `misplaced` rises when it comes elsewhere, and stays until the reset.
`default_nettype none
module axis_input #(
    parameter LANES = 1,            // elements of a beat
    parameter WIDTH = 6,            // bits of an element
    parameter BYTES = 1,
    parameter BEATS = 1,            // of a frame
    parameter BUS   = BYTES*LANES   // bytes of a word
) (
    input  wire                   clk,
    input  wire                   rst,
    input  wire                   tvalid,
    output wire                   tready,
    input  wire                   tlast,
    input  wire [8*BUS-1:0]       tdata,
    output wire                   valid,
    input  wire                   ready,
    output wire [LANES*WIDTH-1:0] data,
    output reg                    misplaced
);
    localparam OWN   = BYTES*LANES;
    localparam WORDS = (OWN + BUS - 1)/BUS;                 // of a beat
    localparam PLACE = OWN > BUS ? WORDS*BUS : OWN == BUS ? OWN : 1 << $clog2(OWN);
    localparam PARTS = OWN > BUS ? 1 : BUS/PLACE;           // beats of a word
    wire               beat_last, early, frame_end;
    wire [8*PLACE-1:0] beat;
    wire               step = valid & ready;
    step_counter #(.LENGTH(BEATS)) counter (.clk(clk), .rst(rst), .step(step), .at(), .next(), .last(frame_end));
    always @(posedge clk) misplaced <= ~rst & (misplaced | (step & (early | (beat_last & ~frame_end))));
    genvar i;
    generate
        if (WORDS > 1) begin : several_words
            wire [WORDS*(8*BUS + 1)-1:0] collected;
            wire [WORDS-1:0]             lasts;
            stream_collect #(.WIDTH(8*BUS + 1), .BEATS(WORDS)) words (
                .clk(clk), .rst(rst), .in_valid(tvalid), .in_ready(tready), .in_data({tlast, tdata}),
                .out_valid(valid), .out_ready(ready), .out_data(collected)
            );
            for (i = 0; i < WORDS; i = i + 1) begin : word
                assign {lasts[i], beat[8*BUS*i +: 8*BUS]} = collected[i*(8*BUS + 1) +: 8*BUS + 1];
            end
            assign beat_last = lasts[WORDS-1];
            assign early     = |lasts[WORDS-2:0];
        end else if (PARTS > 1) begin : part_of_a_word
            axis_split #(.BITS(8*PLACE), .PARTS(PARTS)) split (
                .clk(clk), .rst(rst), .frame_end(frame_end),
                .in_valid(tvalid), .in_ready(tready), .in_last(tlast), .in_data(tdata),
                .out_valid(valid), .out_ready(ready), .out_last(beat_last), .out_data(beat)
            );
            assign early = 1'b0;
        end else begin : one_word
            assign valid     = tvalid;
            assign tready    = ready;
            assign beat_last = tlast;
            assign beat      = tdata[8*PLACE-1:0];
            assign early     = 1'b0;
        end
        for (i = 0; i < LANES; i = i + 1) begin : element
            assign data[i*WIDTH +: WIDTH] = beat[i*8*BYTES +: WIDTH];
        end
    endgenerate
endmodule
`default_nettype wire
