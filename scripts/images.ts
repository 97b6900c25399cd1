import pc from 'picocolors';
import { buildPodsImage, needImage, nodeImage, redisImage } from '../support/images/images.ts';

const help = `npm run images

Has the images there that docker-compose.yml and \`npm run test:containers\` need: ${redisImage} and ${nodeImage} are pulled,
or made locally of what this machine has where no registry can be reached (Debian and Ubuntu); parkade-pods is built by
examples/pods/Dockerfile. Needs a running Docker daemon.`;

if (process.argv.includes('--help') || process.argv.includes('-h')) {
  console.log(help);
} else {
  try {
    const say = (line: string) => console.log(line);
    await needImage(redisImage, say);
    await needImage(nodeImage, say);
    await buildPodsImage(say);
  } catch (error) {
    console.error(pc.red(error instanceof Error ? error.message : String(error)));
    process.exitCode = 1;
  }
}
