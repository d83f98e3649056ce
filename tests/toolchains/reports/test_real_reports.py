"""Every figure of the real reports beside the repository, against numbers copied from those files by hand."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from hlsflow.core.metrics import MetricSet, Stage
from hlsflow.toolchains.reports import Report, read_any

REPORTS = Path(__file__).parents[4] / "shared" / "reports"
NESTED = "myproject_prj/solution1/syn/report"

HEADINGS = ("clock", "clock_estimate_ns", "latency_cycles", "latency_ns", "ii", "bram", "dsp", "ff", "lut")
MLP: Mapping[str, tuple[float, ...]] = {
    "CARDIO/DSP_reuse1": (3.33, 3.236, 29, 96.57, 1, 3, 36, 3684, 2579),
    "CARDIO/DSP_reuse2": (3.33, 3.236, 27, 89.91, 2, 3, 36, 2406, 2109),
    "CARDIO/DSP_reuse100": (3.33, 3.270, 58, 193, 38, 3, 5, 2209, 2700),
    "CARDIO/LUT_reuse1": (3.33, 7.947, 22, 175, 1, 3, 0, 2585, 5243),
    "CARDIO/LUT_reuse2": (3.33, 7.947, 20, 159, 2, 3, 0, 2178, 5262),
    "CARDIO/LUT_reuse100": (3.33, 7.947, 49, 389, 34, 3, 0, 2172, 3882),
    "HAR/DSP_reuse1": (5, 4.362, 229, 1145, 1, 6, 413, 246315, 237120),
    "HAR/DSP_reuse2": (5, 4.370, 225, 1125, 2, 6, 413, 192762, 216929),
    "HAR/DSP_reuse100": (5, 4.362, 264, 1320, 100, 6, 72, 142872, 198172),
    "HAR/LUT_reuse1": (5, 7.947, 227, 1804, 1, 6, 0, 246168, 264390),
    "HAR/LUT_reuse2": (5, 7.947, 223, 1772, 2, 6, 0, 192668, 244391),
    "HAR/LUT_reuse100": (5, 7.947, 262, 2082, 100, 6, 0, 142753, 204460),
    "mnist/DSP_reuse1": (5, 4.371, 89, 445, 1, 10, 657, 218745, 230334),
    "mnist/DSP_reuse2": (5, 4.371, 85, 425, 2, 10, 657, 176831, 215814),
    "mnist/DSP_reuse100": (5, 4.370, 126, 630, 49, 10, 116, 145737, 208469),
    "mnist/LUT_reuse1": (5, 7.947, 87, 691, 1, 10, 0, 218531, 274044),
    "mnist/LUT_reuse2": (5, 7.947, 83, 660, 2, 10, 0, 177024, 259652),
    "mnist/LUT_reuse100": (5, 7.947, 124, 985, 49, 10, 0, 145659, 218701),
}

VIVADO: Mapping[str, tuple[str, str, tuple[float, ...]]] = {
    "vivado_2019.2_jet_16bit": ("2019.2", "xcu250-figd2104-2L-e", (5, 4.357, 13, 65, 1, 4, 1450, 10961, 84942)),
    "vivado_2020.1_z7020": ("2020.1", "xc7z020-clg400-1", (5, 4.049, 10, 50, 8, 0, 73, 7969, 2532)),
    "vivado_2020.1_svhn_cnn_16bit": (
        "2020.1",
        "xcu250-figd2104-2L-e",
        (5, 4.363, 1044, 5220, 1028, 100, 5414, 52549, 245466),
    ),
}

LAYER_HEADINGS = ("latency_cycles", "latency_ns", "ii", "bram", "dsp", "ff", "lut")
Z7020: Mapping[str, tuple[float, ...]] = {
    "dense_array_array_ap_fixed_16_6_5_3_0_5u_config2_U0": (7, 35, 7, 0, 73, 7860, 2134),
    "relu_array_array_ap_fixed_5u_relu_config3_U0": (2, 10, 1, 0, 0, 84, 256),
}
ZEROS = "_".join("0" * 33)
JET: Mapping[str, tuple[float, ...]] = {
    f"grp_dense_latency_{ZEROS}_1_fu_97": (1, 5, 1, 0, 557, 2859, 36592),
    f"grp_dense_latency_{ZEROS}_s_fu_165": (1, 5, 1, 0, 468, 2059, 22106),
    f"grp_dense_latency_{ZEROS}_fu_171": (1, 5, 1, 0, 310, 2030, 18526),
    "grp_dense_latency_ap_fixed_ap_fixed_16_6_5_3_0_config11_0_0_0_0_0_0_fu_207": (1, 5, 1, 0, 110, 353, 3428),
    "call_ret1_relu_ap_fixed_16_6_5_3_0_ap_fixed_16_6_5_3_0_relu_config4_s_fu_243": (0, 0, 1, 0, 0, 0, 1792),
    "grp_softmax_stable_ap_fixed_ap_fixed_16_6_5_3_0_softmax_config13_s_fu_311": (4, 20, 1, 4, 5, 236, 664),
    "call_ret3_relu_ap_fixed_16_6_5_3_0_ap_fixed_16_6_5_3_0_relu_config7_s_fu_324": (0, 0, 1, 0, 0, 0, 896),
    "call_ret5_relu_ap_fixed_16_6_5_3_0_ap_fixed_16_6_5_3_0_relu_config10_s_fu_360": (0, 0, 1, 0, 0, 0, 896),
}
SVHN: Mapping[str, tuple[float, ...]] = {
    "dense_array_array_ap_fixed_16_6_5_3_0_42u_config17_U0": (7, 35, 7, 0, 1394, 6159, 59765),
    "conv_2d_cl_array_array_ap_fixed_24u_config12_U0": (40, 200, 40, 0, 1300, 11809, 53724),
    "conv_2d_cl_array_array_ap_fixed_16u_config7_U0": (229, 1145, 229, 0, 786, 10465, 38710),
    "dense_array_array_ap_fixed_16_6_5_3_0_64u_config21_U0": (3, 15, 3, 0, 1167, 4332, 35083),
    "dense_array_array_ap_fixed_16_6_5_3_0_10u_config25_U0": (2, 10, 2, 0, 549, 2736, 17875),
    "conv_2d_cl_array_array_ap_fixed_16u_config2_U0": (1027, 5135, 1027, 0, 208, 3799, 6334),
    "softmax_array_array_ap_fixed_10u_softmax_config27_U0": (7, 35, 7, 4, 10, 788, 3096),
    "pooling2d_cl_array_array_ap_fixed_24u_config16_U0": (19, 95, 19, 0, 0, 2868, 3803),
    "pooling2d_cl_array_array_ap_fixed_16u_config6_U0": (903, 4515, 903, 0, 0, 2008, 2709),
    "pooling2d_cl_array_array_ap_fixed_16u_config11_U0": (172, 860, 172, 0, 0, 2006, 2705),
    "relu_array_array_ap_fixed_64u_relu_config24_U0": (0, 0, 1, 0, 0, 3, 3032),
    "relu_array_array_ap_fixed_42u_relu_config20_U0": (0, 0, 1, 0, 0, 3, 1998),
    "relu_array_array_ap_fixed_24u_relu_config15_U0": (18, 90, 18, 0, 0, 13, 1231),
    "relu_array_array_ap_fixed_16u_relu_config5_U0": (902, 4510, 902, 0, 0, 18, 859),
    "relu_array_array_ap_fixed_16u_relu_config10_U0": (171, 855, 171, 0, 0, 16, 855),
    "Block_proc_U0": (0, 0, 0, 0, 0, 2, 11),
}
LAYERS = {"vivado_2019.2_jet_16bit": JET, "vivado_2020.1_z7020": Z7020, "vivado_2020.1_svhn_cnn_16bit": SVHN}


def read(name: str) -> Report:
    """The report of that name, skipping the test where it is absent."""
    file = REPORTS / name
    if not file.exists():
        pytest.skip(f"needs ../shared/reports/{name}")
    return read_any(file, root=REPORTS)


def values(metrics: MetricSet) -> dict[str, float | None]:
    return {metric.name: metric.value for metric in metrics}


def require(report: Report, stage: Stage, tool: str, version: str, part: str) -> None:
    """Each figure says where it comes from, down to a line that holds it."""
    assert (report.tool, report.version, report.part, report.top) == (tool, version, part, "myproject")
    lines = report.file.read_text().splitlines()
    for metric in report.metrics:
        assert (metric.stage, metric.tool, metric.version, metric.target) == (stage, tool, version, part)
        assert (metric.clock_ns, metric.note) == (report.clock_ns, "")
        file, line = metric.source.rsplit(":", 1)
        assert REPORTS / file == report.file
        if metric.name in ("lut", "ff", "dsp", "latency_cycles"):
            assert f"{metric.value:.0f}" in lines[int(line) - 1]


def expected(figures: tuple[float, ...]) -> tuple[float, dict[str, float]]:
    clock, *rest = figures
    return clock, dict(zip(HEADINGS[1:], rest, strict=True)) | {"uram": 0}


@pytest.mark.parametrize("design", MLP)
def test_vitis_hls(design: str) -> None:
    report = read(f"vitis_2021.1_mlp/{design}/{NESTED}/myproject_csynth.xml")
    assert (report.clock_ns, values(report.metrics)) == expected(MLP[design])
    require(report, Stage.HLS, "Vitis HLS", "2021.1", "xc7z007s-clg225-2")
    assert report.available == {"bram": 100, "dsp": 66, "ff": 28800, "lut": 14400, "uram": 0}
    assert report.layers == ()


@pytest.mark.parametrize(
    ("design", "folder", "suffix"),
    [
        ("vivado_2019.2_jet_16bit", f"/{NESTED}", "xml"),
        ("vivado_2019.2_jet_16bit", f"/{NESTED}", "rpt"),
        ("vivado_2020.1_z7020", "", "xml"),
        ("vivado_2020.1_z7020", "", "rpt"),
        ("vivado_2020.1_svhn_cnn_16bit", "", "rpt"),
    ],
)
def test_vivado_hls(design: str, folder: str, suffix: str) -> None:
    report = read(f"{design}{folder}/myproject_csynth.{suffix}")
    version, part, figures = VIVADO[design]
    assert (report.clock_ns, values(report.metrics)) == expected(figures)
    require(report, Stage.HLS, "Vivado HLS", version, part)
    if suffix == "rpt":
        found = {layer.name: values(layer.metrics) for layer in report.layers}
        assert found == {
            name: dict(zip(LAYER_HEADINGS, row, strict=True)) | {"uram": 0} for name, row in LAYERS[design].items()
        }


def test_what_the_parts_have() -> None:
    z7020 = {"bram": 280, "dsp": 220, "ff": 106400, "lut": 53200}
    u250 = {"bram": 5376, "dsp": 12288, "ff": 3456000, "lut": 1728000, "uram": 1280}
    assert read("vivado_2020.1_z7020/myproject_csynth.rpt").available == z7020 | {"uram": 0}
    assert read("vivado_2020.1_z7020/vivado_synth.rpt").available == z7020  # the part has none, and no row of them
    for file in ("myproject_csynth.rpt", "vivado_synth.rpt"):
        assert read(f"vivado_2020.1_svhn_cnn_16bit/{file}").available == u250


@pytest.mark.parametrize(
    ("design", "part", "figures"),
    [
        ("vivado_2020.1_z7020", "7z020clg400-1", {"lut": 1526, "ff": 2428, "dsp": 66, "bram": 0}),
        (
            "vivado_2020.1_svhn_cnn_16bit",
            "xcu250figd2104-2L",
            {"lut": 123948, "ff": 43435, "dsp": 5386, "bram": 84, "uram": 0},  # 42 tiles of 36 Kb
        ),
    ],
)
def test_vivado_synthesis(design: str, part: str, figures: Mapping[str, float]) -> None:
    report = read(f"{design}/vivado_synth.rpt")
    assert values(report.metrics) == figures
    assert report.clock_ns is None
    require(report, Stage.SYNTH, "Vivado", "2020.1", part)
