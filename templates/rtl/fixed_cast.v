// One value from one fixed-point grid to another: drop bits with rounding, then handle overflow.
// Combinational. ROUNDING "CONV_HALF" is RND_CONV of a value that is larger by half a step of the result than it should
// be. All else has the same meaning as ap_fixed (AMD UG1399, "Arbitrary Precision Fixed-Point Data Types").
`default_nettype none
module fixed_cast #(
    parameter IN_WIDTH   = 8,
    parameter IN_SIGNED  = 1,
    parameter DROP       = 0,      // fractional bits to drop; negative: zeros to append
    parameter RELU       = 0,      // 1: negative values become 0 first
    parameter OUT_WIDTH  = 8,
    parameter OUT_SIGNED = 1,
    parameter ROUNDING   = "TRN",  // TRN TRN_ZERO RND RND_ZERO RND_INF RND_MIN_INF RND_CONV CONV_HALF
    parameter OVERFLOW   = "WRAP"  // WRAP SAT SAT_ZERO SAT_SYM
) (
    input  wire [IN_WIDTH-1:0]  in,
    output wire [OUT_WIDTH-1:0] out
);
    localparam APPEND    = DROP < 0 ? -DROP : 0;
    localparam REMOVE    = DROP > 0 ? DROP : 0;
    localparam MAGNITUDE = OUT_WIDTH - (OUT_SIGNED ? 1 : 0);  // bits of the result without its sign
    // The truncated value has at least one bit more than the result, so that every slice below is legal.
    localparam IN_BITS   = IN_WIDTH + 1 + APPEND - REMOVE;
    localparam BITS      = IN_BITS > OUT_WIDTH + 1 ? IN_BITS : OUT_WIDTH + 1;
    localparam ALL       = BITS + REMOVE;
    localparam HIGH      = BITS - MAGNITUDE;
    localparam [BITS-1:0] ONE = 1;

    wire negative = IN_SIGNED ? in[IN_WIDTH-1] : 1'b0;
    wire [ALL-1:0]  wide      = {{ALL{negative}}, in} << APPEND;
    wire [BITS-1:0] truncated;
    generate
        if (ROUNDING == "CONV_HALF") begin : even
            wire half_way = ~|wide[(REMOVE > 0 ? REMOVE - 1 : 0):0];
            assign truncated = {wide[ALL-1:REMOVE+1], wide[REMOVE] & ~half_way};
        end else begin : cut
            assign truncated = wide[ALL-1:REMOVE];
        end
    endgenerate

    // Rounding is the question whether the truncated value goes one step up.
    wire half  = REMOVE > 0 ? wide[REMOVE > 0 ? REMOVE - 1 : 0] : 1'b0;
    wire below = REMOVE > 1 ? |wide[(REMOVE > 1 ? REMOVE - 2 : 0):0] : 1'b0;
    wire minus = RELU ? 1'b0 : negative;
    wire up;
    generate
        if (ROUNDING == "TRN" || ROUNDING == "CONV_HALF") begin : trn         assign up = 1'b0;                           end
        else if (ROUNDING == "TRN_ZERO")    begin : trn_zero    assign up = minus & (half | below);         end
        else if (ROUNDING == "RND")         begin : rnd         assign up = half;                           end
        else if (ROUNDING == "RND_ZERO")    begin : rnd_zero    assign up = half & (below | minus);         end
        else if (ROUNDING == "RND_INF")     begin : rnd_inf     assign up = half & (below | ~minus);        end
        else if (ROUNDING == "RND_MIN_INF") begin : rnd_min_inf assign up = half & below;                   end
        else                                begin : rnd_conv    assign up = half & (below | truncated[0]);  end
    endgenerate

    // Only the bits that survive are incremented (a short carry chain); its carry and the high bits, which stay as
    // they are, tell overflow.
    wire [BITS-1:0]      low   = truncated & ((ONE << MAGNITUDE) - ONE);
    wire [MAGNITUDE:0]   sum   = low + up;
    wire                 carry = sum[MAGNITUDE];
    wire [MAGNITUDE:0]   kept  = sum ^ (truncated & (ONE << MAGNITUDE));
    wire [HIGH-1:0]      high  = truncated[BITS-1:MAGNITUDE];

    wire above = ~negative & (carry | (|high));
    wire under = negative & ~(&high);

    localparam [OUT_WIDTH-1:0] HIGHEST = (ONE << MAGNITUDE) - ONE;
    localparam [OUT_WIDTH-1:0] LOWEST  = OUT_SIGNED ? (ONE << MAGNITUDE) + (OVERFLOW == "SAT_SYM" ? ONE : 0) : 0;
    wire [OUT_WIDTH-1:0] fitted;
    generate
        if (OVERFLOW == "WRAP") begin : wrap
            assign fitted = kept[OUT_WIDTH-1:0];
        end else if (OVERFLOW == "SAT_ZERO") begin : sat_zero
            // Just below the range, rounding up may still lead into it.
            wire enters = OUT_SIGNED ? carry & (high == ({HIGH{1'b1}} << 1)) : 1'b0;
            wire outside = above | (under & ~enters) | (OUT_SIGNED ? 1'b0 : negative);
            assign fitted = outside ? {OUT_WIDTH{1'b0}} : kept[OUT_WIDTH-1:0];
        end else begin : sat
            wire lowest = OUT_SIGNED ? under | (OVERFLOW == "SAT_SYM" & kept == (ONE << MAGNITUDE)) : negative;
            assign fitted = above ? HIGHEST : lowest ? LOWEST : kept[OUT_WIDTH-1:0];
        end
    endgenerate
    assign out = RELU && negative ? {OUT_WIDTH{1'b0}} : fitted;
endmodule
`default_nettype wire
