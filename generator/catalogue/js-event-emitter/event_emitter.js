'use strict';

/** Subscribing to this name means every event; the listener receives the event's name first. */
const ANY_EVENT = '*';

/** Dispatches events to listeners, synchronously and in the order of subscription. */
class Emitter {
  /** @type {Map<string | symbol, Array<{ listener: Function, once: boolean }>>} */
  #subscriptions = new Map();

  /**
   * Calls `listener` on each `event` with the arguments of `emit`.
   *
   * @param {string | symbol} event
   * @param {(...args: any[]) => void} listener
   * @returns {() => void} Ends this subscription; further calls do nothing.
   */
  on(event, listener) {
    return this.#subscribe(event, listener, false);
  }

  /**
   * Calls `listener` on the next `event` only.
   *
   * @param {string | symbol} event
   * @param {(...args: any[]) => void} listener
   * @returns {() => void}
   */
  once(event, listener) {
    return this.#subscribe(event, listener, true);
  }

  /**
   * Ends the oldest subscription of `listener` to `event`.
   *
   * @param {string | symbol} event
   * @param {Function} listener
   * @returns {boolean} Whether there was one.
   */
  off(event, listener) {
    const found = this.#subscriptions.get(event)?.find((subscription) => subscription.listener === listener);
    return found !== undefined && this.#drop(event, found);
  }

  /**
   * Calls every listener, those that another listener removes meanwhile included.
   *
   * @param {string | symbol} event
   * @param {...any} args
   * @returns {number} How many listeners were called.
   * @throws {AggregateError} After all were called, if any of them threw.
   */
  emit(event, ...args) {
    if (event === ANY_EVENT) {
      throw new RangeError('* is for subscribing only');
    }
    const named = this.#take(event).map((listener) => () => listener(...args));
    const any = this.#take(ANY_EVENT).map((listener) => () => listener(event, ...args));
    const errors = [];
    for (const call of [...named, ...any]) {
      try {
        call();
      } catch (error) {
        errors.push(error);
      }
    }
    if (errors.length > 0) {
      throw new AggregateError(errors, `${errors.length} listeners of ${String(event)} failed`);
    }
    return named.length + any.length;
  }

  /**
   * @param {string | symbol} event
   * @returns {number}
   */
  listenerCount(event) {
    return this.#subscriptions.get(event)?.length ?? 0;
  }

  /** @param {string | symbol} [event] Without it, the listeners of every event are removed. */
  removeAll(event) {
    if (event === undefined) {
      this.#subscriptions.clear();
    } else {
      this.#subscriptions.delete(event);
    }
  }

  #subscribe(event, listener, once) {
    if (typeof event !== 'symbol' && (typeof event !== 'string' || event === '')) {
      throw new TypeError('event must be a symbol or a non-empty string');
    }
    if (typeof listener !== 'function') {
      throw new TypeError('listener must be a function');
    }
    const subscription = { listener, once };
    this.#subscriptions.set(event, [...(this.#subscriptions.get(event) ?? []), subscription]);
    return () => {
      this.#drop(event, subscription);
    };
  }

  /** Returns the listeners to call now, and ends the subscriptions that were for one event. */
  #take(event) {
    const current = this.#subscriptions.get(event) ?? [];
    current.filter((subscription) => subscription.once).forEach((subscription) => this.#drop(event, subscription));
    return current.map((subscription) => subscription.listener);
  }

  #drop(event, subscription) {
    // A new array each time, so that a running `emit` keeps the one that it started with.
    const current = this.#subscriptions.get(event) ?? [];
    const rest = current.filter((other) => other !== subscription);
    if (rest.length > 0) {
      this.#subscriptions.set(event, rest);
    } else {
      this.#subscriptions.delete(event);
    }
    return rest.length < current.length;
  }
}

module.exports = { Emitter, ANY_EVENT };
