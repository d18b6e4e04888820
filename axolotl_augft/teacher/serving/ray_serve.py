"""An application of Ray Serve -> one address that answers until SIGTERM, which takes the application down again.

A program of its own, run by the Python of the environment that Ray Serve is installed in, which need not be ours. So it
imports nothing of this package, and Ray only once it runs. `serve run` is not used, because it replaces whatever the
cluster serves already, and takes everything down at its end, and that for SIGINT only.
"""

import argparse
import importlib
import json
import os
import signal
import sys
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

READY_MARK = "augft: ready"
"""The line of the log that says that the application answers at the port."""

WAITING_MARK = "augft: waiting: "
"""How a line of the log begins that says what the application waits for."""

ERROR_MARK = "augft: error: "
"""How the line of the log begins that says why it ended."""

LLM_APP = "ray.serve.llm:build_openai_app"
"""Ray Serve's own application for language models."""

_NAME = "augft-teacher"
_LOGGING = {"enable_access_log": False}
_SECONDS_BETWEEN_LOOKS = 0.5


class Refused(Exception):
    """The application cannot be served; the message is one line for the user."""


def main() -> None:
    """Serve an application until SIGTERM; a reason why it cannot be served is the last line of the output."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("app", help="module:builder of the application")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--args", type=json.loads, required=True, help="what the builder gets, as JSON")
    own = parser.parse_args()
    # The application is found from the working folder. Ray would put this program's folder on the path of its workers.
    sys.path[:] = [os.getcwd(), *(folder for folder in sys.path if folder != os.path.dirname(__file__))]
    # Ray reports its use to its makers unless told otherwise; a run of ours reports nothing.
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    # On a machine at work, Ray's 5 s are over before the process with the address has started.
    os.environ.setdefault("RAY_SERVE_PROXY_READY_CHECK_TIMEOUT_S", "60")
    try:
        serve = _imported()
        with _cluster() as ray, _served(serve, own.port):
            _deploy(serve, _built(own.app, _over_the_gpus(own.app, own.args, ray.cluster_resources())))
            _watch(serve)
    except Refused as refusal:
        sys.exit(f"{ERROR_MARK}{refusal}")


def _imported() -> Any:
    try:
        from ray import serve
    except ImportError as error:
        raise Refused(
            f"Ray Serve cannot be imported by {sys.executable} ({_last_line(error)}); install 'ray[serve]>=2.60,<3' "
            "there, or put the environment that has it first on the PATH"
        ) from None
    return serve


@contextmanager
def _cluster() -> Iterator[Any]:
    """Take part in the cluster at RAY_ADDRESS, one that runs here, or a new one, which ends with the block."""
    import ray

    address = os.environ.get("RAY_ADDRESS", "")
    if address.startswith("ray://"):
        raise Refused(f"RAY_ADDRESS is {address}, an address for clients outside the cluster; run on its head node")
    try:
        ray.init(namespace="serve", include_dashboard=None if address else False)
    except Exception as error:  # Ray raises plain ones, too, as for a node that does not start in time
        raise Refused(f"the Ray cluster cannot be joined or started ({_last_line(error)}); check RAY_ADDRESS") from None
    # After Ray has set its own.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    try:
        here = ray.get_runtime_context().get_node_id()
        if not any(n["NodeID"] == here and "node:__internal_head__" in n["Resources"] for n in ray.nodes()):
            raise Refused("the address of Ray Serve is on the head node of the Ray cluster; run there, or as a Ray job")
        yield ray
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        ray.shutdown()


@contextmanager
def _served(serve: Any, port: int) -> Iterator[None]:
    """Run Ray Serve for the length of the block, on a cluster that does not run it already, since it is there once."""
    found = serve.status()
    if found.proxies or found.applications:
        names = ", ".join(found.applications) or "no application"
        raise Refused(
            f"the Ray cluster runs Ray Serve already ({names}), and has one only; name its address in "
            "augft.teacher.base_url, end it with `serve shutdown`, or use another cluster"
        )
    from ray.exceptions import RayError

    options = {"host": "127.0.0.1", "port": port}
    try:
        # Ray waits a minute for the process that listens, which is not enough on a busy machine; `_watch` waits longer.
        with suppress(TimeoutError):
            serve.start(proxy_location="HeadOnly", http_options=options, logging_config=_LOGGING)
        yield
    except RayError as error:
        traceback.print_exc()
        raise Refused(
            f"Ray Serve has failed ({_last_line(error)}); the log of the server has the whole of it"
        ) from None
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        serve.shutdown()


def _over_the_gpus(app: str, args: dict[str, Any], cluster: dict[str, float]) -> dict[str, Any]:
    """Return the arguments of Ray Serve's own application with as many replicas, at most, as the GPUs have room for."""
    if app != LLM_APP:
        return args
    gpus = int(cluster.get("GPU", 0))
    (model,) = args["llm_configs"]
    engine = model["engine_kwargs"]
    each = engine.get("tensor_parallel_size", 1) * engine.get("pipeline_parallel_size", 1)
    deployment = model["deployment_config"]
    scaling = deployment["autoscaling_config"]
    if gpus < each * scaling["min_replicas"]:
        raise Refused(
            f"the Ray cluster has {gpus} GPUs, but {scaling['min_replicas']} replicas of the teacher need {each} each; "
            "add nodes with GPUs, or set augft.teacher.ray_app to an application that needs none"
        )
    scaling = {"max_replicas": gpus // each, **scaling}
    return {
        "llm_configs": [{**model, "deployment_config": {**model["deployment_config"], "autoscaling_config": scaling}}]
    }


def _built(app: str, args: dict[str, Any]) -> Any:
    module, _, builder = app.partition(":")
    try:
        return getattr(importlib.import_module(module), builder)(args)
    except (ImportError, AttributeError) as error:
        remedy = "install vLLM and pyarrow there, or 'ray[llm]'" if app == LLM_APP else "check augft.teacher.ray_app"
        raise Refused(f"{app} cannot be imported by {sys.executable} ({_last_line(error)}); {remedy}") from None
    except (ValueError, TypeError) as error:
        raise Refused(f"{app} refuses its arguments ({' '.join(str(error).split())})") from None


def _deploy(serve: Any, app: Any) -> None:
    target = serve.RunTarget(app, name=_NAME, route_prefix="/", logging_config=_LOGGING)
    serve.run_many([target], wait_for_ingress_deployment_creation=False, wait_for_applications_running=False)


def _watch(serve: Any) -> None:
    """Say in the log when the application answers, and what it waits for until then, for as long as it is served.

    Raises:
        Refused: It cannot be deployed, or is gone.
    """
    told, is_ready = "", False
    while True:
        found = serve.status()
        if _NAME not in found.applications:
            raise Refused("the application of the teacher was deleted from Ray Serve")
        application = found.applications[_NAME]
        reasons = [application.message, *(d.message for d in application.deployments.values())]
        said = "; ".join(dict.fromkeys(_ends_of(reason) for reason in reasons if reason))
        if application.status == "DEPLOY_FAILED":
            raise Refused(f"Ray Serve cannot deploy the teacher ({said}); the log of the server has the whole of it")
        if said not in ("", told):
            _say(f"{WAITING_MARK}{said}")
            told = said
        if not is_ready and application.status == "RUNNING" and set(found.proxies.values()) == {"HEALTHY"}:
            _say(READY_MARK)
            is_ready = True
        time.sleep(_SECONDS_BETWEEN_LOOKS)


def _last_line(reason: object) -> str:
    """Return the last line of a message, which of a traceback is the error."""
    lines = str(reason).strip().splitlines()
    return lines[-1].strip() if lines else type(reason).__name__


def _ends_of(reason: str) -> str:
    """Return the first and the last line of a message of Ray Serve, which say what happens and, of a traceback, why."""
    first, *_ = reason.strip().splitlines() or [""]
    last = _last_line(reason)
    return first if first == last else f"{first} {last}"


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
