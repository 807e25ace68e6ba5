"""Clients of RabbitMQ and Kafka."""

from typing import Any

from lab.libraries.four import awaited, four


def pika_ask(port: int, queue: str) -> Any:
    import pika

    connection = pika.BlockingConnection(
        pika.ConnectionParameters(
            "localhost", port, socket_timeout=0.4, stack_timeout=0.8, blocked_connection_timeout=1
        )
    )
    try:
        channel = connection.channel()
        channel.confirm_delivery()
        if queue == "missing":
            return channel.basic_publish("no such exchange", queue, b"an order")
        channel.queue_declare(queue)
        return channel.basic_publish("", queue, b"an order")
    finally:
        if connection.is_open:
            connection.close()


async def aio_pika_ask(port: int, queue: str) -> Any:
    import aio_pika

    connection = await aio_pika.connect(f"amqp://guest:guest@localhost:{port}/", timeout=0.8)
    async with connection:
        channel = await connection.channel()
        if queue == "missing":
            exchange = await channel.get_exchange("no such exchange", ensure=False)
            return repr(await exchange.publish(aio_pika.Message(b"an order"), queue))
        await channel.declare_queue(queue)
        return repr(await channel.default_exchange.publish(aio_pika.Message(b"an order"), queue))


def confluent_ask(port: int, topic: str) -> Any:
    from confluent_kafka import Producer

    producer = Producer({"bootstrap.servers": f"localhost:{port}", "message.timeout.ms": 800, "log_level": 0})
    errors: list[Any] = []
    producer.produce(
        topic,
        b"x" * 2_000_000 if topic == "large" else b"an order",
        on_delivery=lambda error, _: errors.append(error and error.name()),
    )
    producer.flush(5)
    return errors


async def aiokafka_ask(port: int, topic: str) -> Any:
    import aiokafka

    producer = aiokafka.AIOKafkaProducer(bootstrap_servers=f"localhost:{port}", request_timeout_ms=800)
    await producer.start()
    try:
        return (await producer.send_and_wait(topic, b"x" * 2_000_000 if topic == "large" else b"an order")).topic
    finally:
        await producer.stop()


LIBRARIES = {
    "pika": four(pika_ask, "orders", "missing"),
    "aio_pika": four(awaited(aio_pika_ask), "orders", "missing"),
    "confluent_kafka": four(confluent_ask, "orders", "large"),
    "aiokafka": four(awaited(aiokafka_ask), "orders", "large"),
}
