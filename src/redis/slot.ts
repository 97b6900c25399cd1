const slotCount = 16_384;

/** The Cluster slot of a key or of a shard channel: CRC16 (XMODEM) of its hash tag, or of all of it if it has none. */
export function slotOf(key: string): number {
  const start = key.indexOf('{') + 1;
  const end = key.indexOf('}', start);
  const hashed = start > 0 && end > start ? key.slice(start, end) : key;
  let crc = 0;
  for (const byte of Buffer.from(hashed)) {
    crc ^= byte << 8;
    for (let bit = 0; bit < 8; bit++) {
      crc = crc & 0x8000 ? (crc << 1) ^ 0x1021 : crc << 1;
    }
  }
  return (crc & 0xffff) % slotCount;
}
