import { Redis } from 'ioredis';

const connection = new Redis(process.env['REDIS_URL'] ?? '');

export const redis: Promise<Redis> = Promise.resolve(connection);

export const disconnect = async (): Promise<void> => connection.disconnect();
