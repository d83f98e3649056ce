"""Import this before TensorFlow to use the open RTL from hls4ml's own calls, as `backend="OpenRTL"`::

    import hlsflow.plugins.openrtl
    import hls4ml

    config = hls4ml.utils.config_from_keras_model(model, granularity="name", backend="OpenRTL")
    hls_model = hls4ml.converters.convert_from_keras_model(
        model, hls_config=config, backend="OpenRTL", output_dir="rtl_project"
    )
    hls_model.compile()            # Verilog in rtl_project/rtl
    y = hls_model.predict(x)       # the RTL, simulated by Verilator
    report = hls_model.build()     # synthesized by Yosys

The import chooses Keras 2, which QKeras is made for, and lets hls4ml's converter take its models. The backend itself is
`hlsflow.plugins.hls4ml_backend`.
"""

from __future__ import annotations

import json
from typing import Any

from hlsflow.keras import keras2


def take_keras2_models() -> None:
    """Let hls4ml's converter take Keras 2 models where Keras 3 is installed, too.

    hls4ml 1.3.0 looks at the version of the installed Keras, not at the model. Models of Keras 3 go where they went.
    """
    from hls4ml import converters

    if getattr(converters.keras_v3_to_hls, "takes_keras2", False):
        return
    convert, parse = converters.keras_v3_to_hls, converters.parse_keras_v3_model

    def to_hls(config: dict[str, Any], *rest: Any, **named: Any) -> Any:
        return (
            converters.keras_v2_to_hls(config) if _is_keras2(config["KerasModel"]) else convert(config, *rest, **named)
        )

    def parsed(model: Any, *rest: Any, **named: Any) -> Any:
        if not _is_keras2(model):
            return parse(model, *rest, **named)
        return converters.parse_keras_model(json.loads(model.to_json()), converters.KerasModelReader(model))

    to_hls.takes_keras2 = True  # type: ignore[attr-defined]
    converters.keras_v3_to_hls, converters.parse_keras_v3_model = to_hls, parsed


def _is_keras2(model: Any) -> bool:
    return any(kind.__module__.split(".")[0] == "tf_keras" for kind in type(model).__mro__)


keras2.ready()
take_keras2_models()
