package org.mobilefsgan.demo

import java.io.ByteArrayOutputStream
import java.io.DataOutputStream
import java.util.zip.CRC32

/**
 * The IPTC digital source type in a file's XMP: "a real picture, parts of which a trained model
 * made". Platforms read it. XMP specification, part 3: embedding in JPEG and PNG.
 */
object Xmp {
    const val SOURCE_TYPE =
        "http://cv.iptc.org/newscodes/digitalsourcetype/compositeWithTrainedAlgorithmicMedia"

    private const val JPEG_HEADER = "http://ns.adobe.com/xap/1.0/\u0000"
    private const val PNG_SIGNATURE_AND_HEADER = 8 + 25
    private val PACKET =
        "<?xpacket begin=\"\uFEFF\" id=\"W5M0MpCehiHzreSzNTczkc9d\"?>" +
            "<x:xmpmeta xmlns:x=\"adobe:ns:meta/\">" +
            "<rdf:RDF xmlns:rdf=\"http://www.w3.org/1999/02/22-rdf-syntax-ns#\">" +
            "<rdf:Description rdf:about=\"\" xmlns:xmp=\"http://ns.adobe.com/xap/1.0/\" " +
            "xmlns:Iptc4xmpExt=\"http://iptc.org/std/Iptc4xmpExt/2008-02-29/\">" +
            "<Iptc4xmpExt:DigitalSourceType>$SOURCE_TYPE</Iptc4xmpExt:DigitalSourceType>" +
            "<xmp:CreatorTool>MobileFSGAN toolkit</xmp:CreatorTool>" +
            "</rdf:Description></rdf:RDF></x:xmpmeta><?xpacket end=\"w\"?>"

    /** [file], a JPEG without XMP, with the mark: one APP1 segment after the first segment. */
    fun inJpeg(file: ByteArray): ByteArray {
        val packet = JPEG_HEADER.toByteArray() + PACKET.toByteArray()
        // JFIF wants its own segment to stay the first one.
        val jfif = file[2] == 0xFF.toByte() && file[3] == 0xE0.toByte()
        val at = if (jfif) 4 + ((file[4].toInt() and 255) shl 8) + (file[5].toInt() and 255) else 2
        return joined { out ->
            out.write(file, 0, at)
            out.writeShort(0xFFE1)
            out.writeShort(packet.size + 2)
            out.write(packet)
            out.write(file, at, file.size - at)
        }
    }

    /** [file], a PNG, with the mark: one iTXt chunk after the header. */
    fun inPng(file: ByteArray): ByteArray {
        // Keyword, its end, not compressed, no language, no translated keyword.
        val chunk = "iTXtXML:com.adobe.xmp".toByteArray() + ByteArray(5) + PACKET.toByteArray()
        return joined { out ->
            out.write(file, 0, PNG_SIGNATURE_AND_HEADER)
            out.writeInt(chunk.size - 4)
            out.write(chunk)
            out.writeInt(CRC32().apply { update(chunk) }.value.toInt())
            out.write(file, PNG_SIGNATURE_AND_HEADER, file.size - PNG_SIGNATURE_AND_HEADER)
        }
    }

    private fun joined(write: (DataOutputStream) -> Unit): ByteArray {
        val bytes = ByteArrayOutputStream()
        DataOutputStream(bytes).use(write)
        return bytes.toByteArray()
    }
}
