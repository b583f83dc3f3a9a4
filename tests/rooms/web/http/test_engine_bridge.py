"""The bridge between the event loop and the engine."""

import asyncio
from concurrent.futures import Future

from assent.terms.errors import Busy
from assent.web.http.engine_bridge import EngineBridge


def test_a_waiting_request_gets_its_result_once_it_is_durable(shop):
    """Several writes land together and each request gets its own result, or its own error."""

    async def wait():
        bridge = EngineBridge(shop.engine)
        futures = [Future() for _ in range(3)]
        waiting = [asyncio.ensure_future(bridge.committed(future)) for future in futures]
        await asyncio.sleep(0)
        waiting[2].cancel()
        await asyncio.to_thread(
            lambda: (futures[0].set_result(1), futures[1].set_exception(Busy("x")), futures[2].set_result(3))
        )
        committed = await asyncio.gather(*waiting, return_exceptions=True)
        again = await bridge.committed(futures[0])
        bridge.close()
        return committed, again

    committed, again = asyncio.run(wait())
    assert (committed[0], again) == (1, 1)
    assert isinstance(committed[1], Busy)
    assert isinstance(committed[2], asyncio.CancelledError)
