// ioredis: commands of one's own in Lua, pipelines, transactions, pub/sub, blocking reads.
import { Redis } from 'ioredis';

const port = Number(process.argv[2]);
const connect = () => new Redis(port, '127.0.0.1');

function expect(what, got, wanted) {
  const [a, b] = [JSON.stringify(got), JSON.stringify(wanted)];
  if (a !== b) {
    console.error(`ioredis: ${what}: got ${a.slice(0, 300)}, wanted ${b.slice(0, 300)}`);
    process.exit(1);
  }
}

const client = connect();
const numbers = Array.from({ length: 2000 }, (_, number) => number);

// Every client moves money between accounts of different slots; the sum never changes.
const transfer = {
  numberOfKeys: 2,
  lua: `local have = tonumber(redis.call('GET', KEYS[1]) or '0')
        local amount = tonumber(ARGV[1])
        if have < amount then return redis.error_reply('POOR not enough') end
        redis.call('DECRBY', KEYS[1], amount)
        return redis.call('INCRBY', KEYS[2], amount)`,
};
const clients = Array.from({ length: 8 }, connect);
for (const one of clients) one.defineCommand('transfer', transfer);
const accounts = Array.from({ length: 50 }, (_, number) => `account:${number}`);
await client.mset(Object.fromEntries(accounts.map((account) => [account, 100])));
let refused = 0;
await Promise.all(
  clients.flatMap((one, first) =>
    numbers.slice(0, 250).map((round) => {
      const [from, to] = [accounts[(first * 7 + round) % 50], accounts[(first * 3 + round * 11 + 1) % 50]];
      return one.transfer(from, to, 1 + (round % 40)).catch((error) => {
        expect('the error of a script', error.message.startsWith('POOR not enough'), true);
        refused += 1;
      });
    }),
  ),
);
const sum = (await client.mget(accounts)).reduce((total, value) => total + Number(value), 0);
expect('the sum of all accounts', sum, 5000);

const replies = await client.pipeline(numbers.map((number) => ['set', `n:${number}`, number])).exec();
expect('pipelined replies', replies.filter(([error, reply]) => error || reply !== 'OK').length, 0);
const together = await client.multi(numbers.map((number) => ['get', `n:${number}`])).exec();
expect('a transaction', together.map(([, reply]) => Number(reply)), numbers);

const listener = connect();
const heard = [];
await listener.subscribe('channel');
listener.on('message', (_, message) => heard.push(Number(message)));
for (const number of numbers) client.publish('channel', number);
for (let turn = 0; turn < 200 && heard.length < numbers.length; turn += 1) await new Promise((r) => setTimeout(r, 25));
expect('messages in order', heard, numbers);

const taken = [];
const takers = Array.from({ length: 5 }, connect);
const taking = takers.map(async (taker) => {
  for (let item = await taker.blpop('queue', 2); item; item = await taker.blpop('queue', 2)) taken.push(Number(item[1]));
});
for (const number of numbers) await client.rpush('queue', number);
await Promise.all(taking);
expect('items, each once', taken.sort((a, b) => a - b), numbers);

for (const one of [client, listener, ...clients, ...takers]) one.disconnect();
console.log(`ioredis: ${clients.length * 250} scripted transfers (${refused} refused), pipelines, pub/sub, blocking reads`);
