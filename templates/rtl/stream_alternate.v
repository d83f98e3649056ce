// One stream after the other: a run of beats of input 0, then one of input 1 ..., again and again. Combinational but
// for the counter.
`default_nettype none
module stream_alternate #(
    parameter WIDTH  = 8,     // bits of a beat
    parameter INPUTS = 2,
    parameter [32*INPUTS-1:0] ENDS = {32'd2, 32'd1}  // beats of a round up to the end of each input's run
) (
    input  wire                    clk,
    input  wire                    rst,
    input  wire [INPUTS-1:0]       in_valid,
    output wire [INPUTS-1:0]       in_ready,
    input  wire [INPUTS*WIDTH-1:0] in_data,
    output wire                    out_valid,
    input  wire                    out_ready,
    output wire [WIDTH-1:0]        out_data
);
    localparam [31:0] LENGTH = ENDS[32*(INPUTS-1) +: 32];
    localparam BITS = LENGTH > 1 ? $clog2(LENGTH) : 1;
    wire [BITS-1:0] at;
    step_counter #(.LENGTH(LENGTH)) counter (
        .clk(clk), .rst(rst), .step(out_valid & out_ready), .at(at), .next(), .last()
    );
    wire [INPUTS-1:0] ended;     // the run is over
    wire [INPUTS-1:0] turn = ~ended & {ended[INPUTS-2:0], 1'b1};
    wire [INPUTS*WIDTH-1:0] gathered;
    assign in_ready  = turn & {INPUTS{out_ready}};
    assign out_valid = |(turn & in_valid);
    assign out_data  = gathered[(INPUTS-1)*WIDTH +: WIDTH];
    genvar i;
    generate
        for (i = 0; i < INPUTS; i = i + 1) begin : source
            wire [WIDTH-1:0] mine = in_data[i*WIDTH +: WIDTH] & {WIDTH{turn[i]}};
            if (i == INPUTS - 1) assign ended[i] = 1'b0;
            else                 assign ended[i] = at >= ENDS[32*i +: 32];
            if (i == 0) assign gathered[0 +: WIDTH] = mine;
            else        assign gathered[i*WIDTH +: WIDTH] = mine | gathered[(i-1)*WIDTH +: WIDTH];
        end
    endgenerate
endmodule
`default_nettype wire
