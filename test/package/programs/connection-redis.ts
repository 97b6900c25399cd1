import { createClient } from 'redis';

const connection = createClient({ url: process.env['REDIS_URL'] ?? '' });

export const redis = connection.connect();

export const disconnect = async (): Promise<void> => connection.destroy();
