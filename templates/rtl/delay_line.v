// A signal, CYCLES clock cycles later. Without reset, so that shift-register cells can hold it, unless RESET is 1.
`default_nettype none
module delay_line #(
    parameter WIDTH  = 1,
    parameter CYCLES = 1,
    parameter RESET  = 0
) (
    input  wire             clk,
    input  wire             rst,
    input  wire [WIDTH-1:0] in,
    output wire [WIDTH-1:0] out
);
    genvar i;
    generate
        if (CYCLES == 0) begin : wires
            assign out = in;
        end else begin : registers
            for (i = 0; i < CYCLES; i = i + 1) begin : stage
                reg  [WIDTH-1:0] value;
                wire [WIDTH-1:0] next;
                if (i == 0) assign next = in;
                else        assign next = stage[i-1].value;
                always @(posedge clk)
                    if (RESET && rst) value <= {WIDTH{1'b0}};
                    else              value <= next;
            end
            assign out = stage[CYCLES-1].value;
        end
    endgenerate
endmodule
`default_nettype wire
