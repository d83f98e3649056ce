// Elements in another order: element i of the result is element PLACES[i] of the input. Wires only.
`default_nettype none
module element_order #(
    parameter N           = 2,
    parameter WIDTH       = 8,
    parameter PLACE_WIDTH = 1,
    parameter [N*PLACE_WIDTH-1:0] PLACES = 0
) (
    input  wire [N*WIDTH-1:0] in,
    output wire [N*WIDTH-1:0] out
);
    genvar i;
    generate
        for (i = 0; i < N; i = i + 1) begin : element
            assign out[i*WIDTH +: WIDTH] = in[PLACES[i*PLACE_WIDTH +: PLACE_WIDTH]*WIDTH +: WIDTH];
        end
    endgenerate
endmodule
`default_nettype wire
