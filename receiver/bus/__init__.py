"""The bus: receivers and workers on many machines, joined by Redis (`--bus`).

Nothing in here is known to those who take frames, run hooks or show pictures: a receiver's `Outlet`
is one more taker of the hub's frames, and a worker's `BusFeed` gives hooks their frames as the hub
does. Only this folder knows what stands in Redis.
"""
