// Splits a beat into PARTS parts, the least significant one first. Nothing is stored: the beat waits at the input until
// its last part is taken.
`default_nettype none
module stream_serialize #(
    parameter WIDTH = 8,     // bits of a part
    parameter PARTS = 2
) (
    input  wire                   clk,
    input  wire                   rst,
    input  wire                   in_valid,
    output wire                   in_ready,
    input  wire [PARTS*WIDTH-1:0] in_data,
    output wire                   out_valid,
    input  wire                   out_ready,
    output wire [WIDTH-1:0]       out_data
);
    localparam BITS = PARTS > 1 ? $clog2(PARTS) : 1;
    wire last;
    wire [BITS-1:0] at;
    step_counter #(.LENGTH(PARTS)) counter (
        .clk(clk), .rst(rst), .step(in_valid & out_ready), .at(at), .next(), .last(last)
    );
    assign in_ready  = last & out_ready;
    assign out_valid = in_valid;
    genvar b, p;
    generate
        if (PARTS == 1) begin : whole
            assign out_data = in_data;
        end else begin : sliced
            for (b = 0; b < WIDTH; b = b + 1) begin : bits
                wire [PARTS-1:0] choices;
                for (p = 0; p < PARTS; p = p + 1) begin : choice
                    assign choices[p] = in_data[p*WIDTH + b];
                end
                assign out_data[b] = choices[at];
            end
        end
    endgenerate
endmodule
`default_nettype wire
