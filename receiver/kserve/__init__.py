"""The hooks behind the Open Inference Protocol (KServe v2, Triton) over HTTP."""
