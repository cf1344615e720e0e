import java.io.IOException;
import java.io.RandomAccessFile;
import java.net.http.HttpRequest.BodyPublishers;
import java.nio.MappedByteBuffer;
import java.nio.channels.FileChannel.MapMode;
import java.nio.file.Files;
import java.nio.file.Path;

/** Pixels in shared memory, of which a KServe request names the place. */
final class MemoryWay extends KServeWay {
  private final String name;
  private final Path path;
  private final MappedByteBuffer memory;

  MemoryWay(String url, int width, int height) throws IOException, InterruptedException {
    super(url, width, height);
    int size = width * height * 3;
    name = "framepost-java-" + ProcessHandle.current().pid();
    path = Path.of("/dev/shm", name);
    try (RandomAccessFile file = new RandomAccessFile(path.toFile(), "rw")) {
      file.setLength(size);
      memory = file.getChannel().map(MapMode.READ_WRITE, 0, size);
    }
    String json = "{\"key\":\"/" + name + "\",\"offset\":0,\"byte_size\":" + size + "}";
    post("/v2/systemsharedmemory/region/" + name + "/register", json);
  }

  @Override
  public long ask(byte[] picture) throws IOException, InterruptedException {
    memory.clear();
    memory.put(picture);
    String place = "\"shared_memory_region\":\"" + name + "\",\"shared_memory_byte_size\":";
    return infer(place + picture.length, BodyPublishers.noBody());
  }

  @Override
  public void close() throws IOException {
    Files.delete(path);
  }
}
