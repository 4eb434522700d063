/**
 * The client of NATS as its store uses it here.
 *
 * @module
 */

import type { JetStreamClient } from "@nats-io/jetstream";

/**
 * A client for a store that leaves no consumer on the server: @nats-io/obj 3.4.0
 * leaves one, for five minutes, whenever it reads a value.
 *
 * @param js A client.
 * @param publish What publishes the parts.
 */
export function withoutConsumers(
  js: JetStreamClient,
  publish: JetStreamClient["publish"],
): JetStreamClient {
  const { consumers } = js;
  const getPushConsumer: typeof consumers.getPushConsumer = async (...from) => {
    const consumer = await consumers.getPushConsumer(...from);
    const consume = consumer.consume.bind(consumer);
    consumer.consume = async (options) => {
      const messages = await consume(options);
      const stop = messages.stop.bind(messages);
      messages.stop = (error) => {
        messages.stop = stop;
        stop(error);
        consumer.delete().catch(() => {}); // or it goes by itself, later
      };
      return messages;
    };
    return consumer;
  };
  const own = Object.create(consumers, {
    getPushConsumer: { value: getPushConsumer },
  });
  return Object.create(js, {
    consumers: { value: own },
    publish: { value: publish },
  });
}
