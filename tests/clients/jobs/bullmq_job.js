// BullMQ: producers, workers, delayed jobs, retries with back-off, flows, a rate limit, repeatable jobs.
import { FlowProducer, Queue, QueueEvents, Worker } from 'bullmq';

const connection = { host: '127.0.0.1', port: Number(process.argv[2]), maxRetriesPerRequest: null };
const JOBS = 2000;

function expect(what, got, wanted) {
  const [a, b] = [JSON.stringify(got), JSON.stringify(wanted)];
  if (a !== b) {
    console.error(`bullmq: ${what}: got ${a.slice(0, 300)}, wanted ${b.slice(0, 300)}`);
    process.exit(1);
  }
}

async function until(what, condition, seconds = 90) {
  for (const end = Date.now() + seconds * 1000; Date.now() < end; ) {
    if (await condition()) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  console.error(`bullmq: ${what}: not within ${seconds} s`);
  process.exit(1);
}

const closing = [];
const queueOf = (name) => {
  const queue = new Queue(name, { connection });
  closing.push(queue);
  return queue;
};
const workerOf = (name, work, options = {}) => {
  const worker = new Worker(name, work, { connection, concurrency: 20, ...options });
  worker.on('error', (error) => {
    console.error(`bullmq: a worker of ${name}: ${error.message}`);
    process.exit(1);
  });
  closing.unshift(worker);
  return worker;
};

async function many() {
  const done = new Map();
  const work = async (job) => {
    done.set(job.data.number, (done.get(job.data.number) ?? 0) + 1);
    return job.data.number * 2;
  };
  for (let worker = 0; worker < 3; worker += 1) workerOf('many', work);
  const events = new QueueEvents('many', { connection });
  closing.unshift(events);
  await events.waitUntilReady();
  let completed = 0;
  events.on('completed', () => (completed += 1));
  const queue = queueOf('many');
  for (let from = 0; from < JOBS; from += 500) {
    const bulk = [];
    for (let number = from; number < from + 500; number += 1) bulk.push({ name: 'work', data: { number } });
    await queue.addBulk(bulk);
  }
  await until('jobs are done', async () => (await queue.getCompletedCount()) === JOBS);
  expect('jobs done', done.size, JOBS);
  expect('jobs done more than once', [...done.values()].filter((times) => times !== 1).length, 0);
  await until('events of completed jobs', () => completed === JOBS);
}

async function delayedAndRetried() {
  const tries = new Map();
  const began = Date.now();
  const delays = [];
  workerOf('odd', async (job) => {
    if (job.name === 'delayed') delays.push(Date.now() - began - job.data.delay);
    const count = (tries.get(job.id) ?? 0) + 1;
    tries.set(job.id, count);
    if (job.name === 'failing' && count < 3) throw new Error('not yet');
  });
  const queue = queueOf('odd');
  for (let delay = 100; delay <= 2000; delay += 100) await queue.add('delayed', { delay }, { delay });
  const options = { attempts: 3, backoff: { type: 'exponential', delay: 50 } };
  for (let job = 0; job < 100; job += 1) await queue.add('failing', {}, options);
  await until('delayed and failing jobs', async () => (await queue.getCompletedCount()) === 120);
  expect('jobs before their time', delays.filter((late) => late < -1).length, 0);
  expect('tries', [...tries.values()].reduce((a, b) => a + b), 20 + 300);
}

async function flows() {
  workerOf('steps', async (job) => job.data.value);
  const sums = [];
  workerOf('sums', async (job) => {
    const values = Object.values(await job.getChildrenValues());
    sums.push(values.reduce((a, b) => a + b, 0));
  });
  const producer = new FlowProducer({ connection });
  closing.push(producer);
  const queue = queueOf('sums');
  for (let flow = 0; flow < 100; flow += 1) {
    const children = [1, 2, 3, 4].map((value) => ({ name: 'step', queueName: 'steps', data: { value } }));
    await producer.add({ name: 'sum', queueName: 'sums', children });
  }
  await until('flows', async () => (await queue.getCompletedCount()) === 100);
  expect('sums of children', sums, Array(100).fill(10));
}

async function limited() {
  const times = [];
  workerOf('slow', async () => times.push(Date.now()), { limiter: { max: 20, duration: 500 } });
  const queue = queueOf('slow');
  await queue.addBulk(Array.from({ length: 80 }, () => ({ name: 'x', data: {} })));
  await until('limited jobs', async () => (await queue.getCompletedCount()) === 80);
  if (times.at(-1) - times[0] < 1400) expect('time of 80 jobs at 20 in 500 ms', times.at(-1) - times[0], '>= 1400');
}

async function priorities() {
  const order = [];
  const queue = queueOf('ranked');
  for (let priority = 50; priority >= 1; priority -= 1) await queue.add('x', { priority }, { priority });
  workerOf('ranked', async (job) => order.push(job.data.priority), { concurrency: 1 });
  await until('ranked jobs', () => order.length === 50);
  expect('order by priority', order, [...order].sort((a, b) => a - b));
}

for (const job of [many, delayedAndRetried, flows, limited, priorities]) await job();
for (const one of closing) await one.close();
console.log(`bullmq: ${JOBS} jobs over 3 workers, delayed jobs, retries, flows, a rate limit, priorities`);
