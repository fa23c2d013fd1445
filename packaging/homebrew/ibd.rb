# Filled in by packaging/build.sh --index. Belongs into Formula/ of the tap ibd-project/homebrew-tap.
class Ibd < Formula
  desc "Interactive Brokers account for AI assistants"
  homepage "https://github.com/ibd-project/ibd"
  version "@VERSION@"
  license "MIT"

  on_macos do
    on_arm do
      url "https://github.com/ibd-project/ibd/releases/download/v@VERSION@/ibd-@VERSION@-darwin-arm64.tar.gz"
      sha256 "@SHA256:ibd-@VERSION@-darwin-arm64.tar.gz@"
    end
    on_intel do
      url "https://github.com/ibd-project/ibd/releases/download/v@VERSION@/ibd-@VERSION@-darwin-x64.tar.gz"
      sha256 "@SHA256:ibd-@VERSION@-darwin-x64.tar.gz@"
    end
  end
  on_linux do
    on_arm do
      url "https://github.com/ibd-project/ibd/releases/download/v@VERSION@/ibd-@VERSION@-linux-arm64.tar.gz"
      sha256 "@SHA256:ibd-@VERSION@-linux-arm64.tar.gz@"
    end
    on_intel do
      url "https://github.com/ibd-project/ibd/releases/download/v@VERSION@/ibd-@VERSION@-linux-x64.tar.gz"
      sha256 "@SHA256:ibd-@VERSION@-linux-x64.tar.gz@"
    end
  end

  def install
    bin.install Dir["bin/*"]
    doc.install "docs", "LICENSES-THIRD-PARTY"
  end

  service do
    run opt_bin/"ibd"
    # `ibctl stop` is an end that is meant; the next client starts it again.
    keep_alive crashed: true
  end

  test do
    assert_equal "ib-mcp #{version}", shell_output("#{bin}/ib-mcp --version").strip
  end
end
